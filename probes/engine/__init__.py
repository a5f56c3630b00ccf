"""How a stock language model is run thousands of times, exactly and fast.

A question about a text becomes hundreds of prompts that differ in a word. The plain way runs each of them
whole, once for every answer. This room gives the same numbers with a tenth of the work: it sees token ids,
masks and modules, and knows no text.

* `jobs`, `edits`, `lines`: what is asked (`Job`), what is done inside the model meanwhile and at which nodes,
  and how it was done (`Report`).
* `anatomy`, `experiments`, `selfcheck`: what a model is made of, proved on its own weights as it is loaded.
* `tree`, `chunking`: prompts as a prefix tree; its branches packed into rows and chunks.
* `masks`, `forward`, `hooks`: what each position may read, in the model's own terms; the calls of the model;
  the only file that touches a module.
* `by_tree`, `by_batches`: the fast way and the plain ones, checked against each other; of jobs with edits
  `by_restart`, `by_hooks`.
* `linears`: the same float32 arithmetic in a layout some processors like better.
* `chunks`, `findings`: how large a forward should be; all that is found out about a model once.
* `ways`: which to try, and the one loop that falls back where a check fails.
* `execute`: the `Engine`, the only door.
"""
