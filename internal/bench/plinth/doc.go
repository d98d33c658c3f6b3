// Package plinth is the driver of Plinth's embedded store for package bench:
// each operation is a transaction as the documentation of package kv has it,
// with the defaults of embedded.Open but for the size of the cache.
//
//	session, err := bench.Open(plinth.Driver(), dir, settings)
package plinth
