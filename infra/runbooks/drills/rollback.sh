# Nothing is broken for this one: the runbook is followed on a healthy stack, so that its commands are known to work.
provoke() {
    echo "The stack is well."
}
