// Package bugs plants bugs in Plinth and counts how many seeds of the
// simulation it takes to find each: a simulation that finds nothing proves
// something only if it finds what is known to be there.
//
// A bug is a file in tests/sim/bugs: what it does in a few words, an empty
// line, and a unified diff of a line or two against the source tree. It is
// planted in copies of the files that the compiler gets to see in their place
// (host.BuildConfig.Overlay); the tree itself is never touched. One program
// has all bugs in it, each behind a switch.
//
//	all, err := bugs.Read(root)
//	overlay, err := bugs.Plant(root, all)
//	// build and load a program with the overlay
//	hunt := bugs.Hunt{Program: program, Campaign: host.CampaignConfig{First: 1, Count: 200}}
//	for _, bug := range all {
//		finding, err := hunt.Search(ctx, bug)
//	}
//	failed, err := hunt.Vindicate(ctx, findings)
//
// Invariants:
//
//	B1  A diff is applied where its old lines stand exactly once in the file,
//	    whatever the line numbers say, or not at all: code that has changed
//	    since gives an error and never another bug than the one described.
//	B2  A bug counts as found by a seed only if the same seed of the same
//	    program passes with all bugs off.
package bugs
