// Package fault marks rare paths in the product, so that the simulation can
// take them often.
//
// A site is one call of Point with a name of its own:
//
//	if fault.Point("txlog.segment.rollEarly") {
//		limit = minSegmentBytes
//	}
//
// Outside the simulation Point is constantly false and the compiler removes
// the branch. In the simulation (GOOS=wasip1, or the build tag "simulation")
// each seed first draws which sites are armed at all and then, at every visit
// of an armed site, whether it fires. This is FoundationDB's BUGGIFY: with all
// sites armed in every run, one frequent fault would hide what lies behind it.
//
// What a fired site does must be legal: an early flush, a short batch, a
// needless retry, a dropped cache, a longer wait, an answer that may always be
// given. It makes the unlikely likely; it never makes the impossible happen.
// Names are "package.object.whatHappens", and constant, so that a search for
// the name finds its one site.
//
// Invariants:
//
//	F1  Outside the simulation Point is the constant false.
//	F2  Until Enable is called, and after Disable, no site fires.
//	F3  Whether a site is armed depends on the seed and its name alone, so a
//	    seed keeps its configuration when unrelated code changes.
//	F4  For one seed, the visits of one site fire in the same pattern, however
//	    visits of different sites interleave.
package fault
