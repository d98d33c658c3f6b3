// Package window is the core of a storage server: the recent versions of every
// key that changed lately, so that a read at any recent version finds the state
// of that version.
//
// A Window stands on an engine that holds the whole store at one version, the
// floor. What the window does not know it answers with Unknown: ask the engine.
// The window has no lock, no goroutine, no clock and no I/O. Its owner applies
// mutations in version order, cuts them into steps now and then, and moves the
// oldest step into the engine: Collect says what to write there, Trim then
// forgets it here.
//
//	set k1      @10      entry k1: 12 tombstone -> 10 "a"
//	clear k1    @12
//	clear [c,m) @13      fragments: [c,m) 13
//	set d       @13      entry d: 13 "x", its sequence number above the clear's
//
// Each mutation gets a sequence number. Between a set and a range clear that
// covers its key the greater one holds, which keeps their order inside one
// version exact.
//
// Invariants:
//
//	N1  Versions never go down from one mutation to the next, and are above
//	    the end of the newest step that was cut.
//	N2  The nodes of an entry and of a fragment have falling versions and
//	    falling sequence numbers; there is at most one node a version.
//	N3  Every entry is found by its hash and in the ordered tree, or in
//	    neither. No entry is without a node.
//	N4  Fragments are disjoint, sorted and not empty; each has a node.
//	N5  Every node lies in a step that is not trimmed: once all steps up to a
//	    version are trimmed, no node at or below it is left, and the window
//	    counts no bytes for them.
//	N6  No key that the window keeps belongs to a mutation list older than the
//	    key's newest node: a key that changes for ever does not hold an old
//	    list in memory.
//	N7  Trimming goes in pieces, but shows at once: a node at or below the
//	    floor is never seen. Otherwise an old set whose clear is trimmed
//	    already would come back, or the other way round.
package window
