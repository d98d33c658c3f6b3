// Package subspace gives each part of a program's data a key prefix of its own.
//
// It has the API of FoundationDB's Go binding. A Subspace is a prefix; it packs
// tuples into keys behind that prefix and unpacks such keys without it. It may
// be used wherever the API asks for a key (the prefix) or for a range (all keys
// of tuples behind the prefix).
package subspace
