// Package house holds the rules of the house as ordinary tests: how packages
// are documented, which way imports run, how long a file may be, what tests
// may not do, and that links in the documentation lead somewhere.
//
// A rule is a function from the source tree to findings. Each finding names
// file and line, what is wrong and the remedy:
//
//	kv/range.go:12: package kv imports …/storage; …
//
// Rules keep to two promises of their own:
//
//	H1  A rule is tested on a small tree that breaks it and on one that does
//	    not, so that a rule that finds nothing has been seen to find.
//	H2  There is no list of exceptions for existing code. What may differ is
//	    said by the rule, for all (generated code, the simulation).
//
// All rules but the one on imports hold for nested modules too.
package house
