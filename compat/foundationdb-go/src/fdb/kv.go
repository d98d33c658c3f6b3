package fdb

import "github.com/plinthdb/plinth/kv"

// KVDatabase returns the database of Plinth's own client that d stands for, so
// that a program which moves to that client step by step can begin transactions
// of either on one store. It is not part of the binding.
//
// What begins there has none of the options set on d. By default it is not
// exactly once, as in FoundationDB; kv.WithExactlyOnce(true) makes it so. It
// ends with the last handle on the store: do not close it.
func KVDatabase(d Database) *kv.Database { return d.store.db }

// KVTransaction returns the transaction of Plinth's own client that t stands
// for. It is not part of the binding: a program that moves to that client can do
// so step by step, with both in one transaction.
func KVTransaction(t Transaction) *kv.Transaction { return t.current() }

// KVReader returns the reader of Plinth's own client that r stands for, see
// KVTransaction. For a type of the program's own, which wraps a Transaction or a
// Snapshot, it is the reader that adds conflicts.
func KVReader(r ReadTransaction) kv.Reader {
	switch r := r.(type) {
	case Transaction:
		return r.current()
	case Snapshot:
		return r.current().Snapshot()
	}
	return r.Snapshot().current()
}

// FromKV returns an error of Plinth's own client as the Error of its number,
// which Transact knows; an error without a number stays as it is. It is not part
// of the binding.
func FromKV(err error) error { return bare(err) }
