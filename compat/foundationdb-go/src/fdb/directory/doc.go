// Package directory finds the subspaces of a program's data by path, as files
// are found.
//
// It has the API of FoundationDB's Go binding, by way of Plinth's own package
// kv/directory, whose comment explains directories, layers and partitions. The
// keys are those of all bindings: each reads the directories of the others.
//
// Every function runs in the given Transactor: in a transaction of its own if
// that is a Database, in the caller's if it is a Transaction.
//
// The errors that have names here are returned as they are, by those functions
// that say so; all others name the path. An error of the database is an
// fdb.Error, which Transact knows.
package directory
