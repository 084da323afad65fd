"""Keeps every message that a subscription gave up on, for somebody to look at, replay or dismiss.

Hears the topic `dead-letter`. What is kept, and what a repetition does, is in shared.kit.dead_letters.
Publishes dead_letter_kept.
"""

from shared.operations.dead_letter_topic import DeadLetterConsumer

consumer = DeadLetterConsumer("on_dead_letter")

main = consumer.entry_point()
