// Package fdb lets programs that were written for FoundationDB's Go binding run
// on Plinth.
//
// It has the exported API of the binding's versions 7.1 to 7.3, and any API
// version from 200 to 730 can be selected. A program picks it by replace lines
// in its go.mod; docs/compat.md in Plinth's repository shows them, and lists
// every call and option with what it does here.
//
//	fdb.MustAPIVersion(730)
//	db, err := fdb.OpenDatabase("plinth-embedded:data")
//	value, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
//		tr.Set(fdb.Key("hello"), []byte("world"))
//		return tr.Get(fdb.Key("foo")).MustGet(), nil
//	})
//
// # What is opened
//
// A cluster file named "plinth-embedded:DIR", or a cluster file or connection
// string with that content, opens the Plinth store in the directory DIR inside
// the program. Opened several times in one process it is one store, closed by
// the last Database.Close or by StopNetwork. A program that ends without either
// loses nothing: a commit that returned is on disk. Clusters of servers cannot
// be reached yet; the errors of opening say so.
//
// # Errors and panics
//
// Errors that have a number are of type Error, which holds nothing else, so the
// texts cannot say which key was meant. If opening a database or setting an
// option fails, what more there is to say (which file, what is wrong with the
// value) goes to the default logger of log/slog, at level error and debug.
// Errors from 9001 up are Plinth's own.
//
// MustGet and its like panic with an Error. Transact and ReadTransact recover
// that, and deal with it as if the function had returned it: they run the
// function again if the error is retryable, and return it otherwise. All other
// panics pass through.
//
// # Futures
//
// A read is sent when somebody waits for it, together with all others that
// were issued before; a Commit waits for all that were issued. IsReady sends it
// too, in the background, so a program that polls sees it become true. Cancel
// makes Get fail with operation_cancelled (1101) unless the value was there.
//
// # Versions
//
// Versions go on by about a million a second, and programs may use them as a
// clock. Plinth's stand still while nobody commits; so once a program has asked
// for a read version or a committed one, the package makes a commit that writes
// nothing twice a second, until it has not asked for ten minutes.
//
// # What is better than the original
//
// Transact lines up those transactions of its process that would only conflict
// with one another (see Plinth's kv package), and Close really closes.
//
// Invariants:
//
//	C1  A Transaction stands for one transaction of kv at a time; Reset, and
//	    nothing else, puts another one in its place.
//	C2  A store is open exactly while a Database on it was not closed and the
//	    network was not stopped; no two of them are on one directory. That of a
//	    DatabaseOf is open before and afterwards.
//	C3  After a retry an option has the value that a new transaction would
//	    have, unless FoundationDB calls it persistent under the API version.
//	C4  Every goroutine of the package belongs to a store, and closing that
//	    waits for it.
package fdb
