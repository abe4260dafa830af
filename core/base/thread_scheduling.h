// How the kernel's fair scheduler treats the calling thread. These are hints: a kernel that does not know one, or
// forbids it, leaves the thread as it is.
#pragma once

namespace ddsp {

// For work that nobody waits for: others get more of the processors, a tenth more for each step (1 to 19).
void LetOthersGoFirst(int niceness);

// For a thread that passes on what others wait for and sleeps in between: it runs as soon as it wakes, even where every
// processor is busy, in turns of a tenth of a millisecond. Its share of the processors stays what it was. Linux 6.12 or
// later (the slice of EEVDF, sched_setattr(2)).
void RunSoonAfterWaking();

}  // namespace ddsp
