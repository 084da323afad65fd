"""One folder is one Cloud Function.

What a function makes while it is imported stays for the life of its instance, so looking for garbage
meanwhile is wasted: a tenth of a cold start. The entry point (`shared.kit.startup`) turns it on again.
"""

import gc

gc.disable()
