package fdb

import (
	"errors"
	"sync/atomic"

	"github.com/plinthdb/plinth/kv"
)

// Database is a handle on an open database. It may be copied and used by
// several goroutines. The zero value is no database.
type Database struct{ *database }

type database struct {
	store  *store
	closed atomic.Bool
}

// ErrMultiVersionClientUnavailable is the error of GetClientStatus.
var ErrMultiVersionClientUnavailable = errors.New("multi-version client API is unavailable: Plinth's client is part of the program")

// usable returns an error once the handle or the store is closed.
func (d *database) usable() error {
	if d.closed.Load() {
		return errDatabaseClosed
	}
	return nil
}

// Close gives the handle back; all its copies are closed with it. The last
// handle on a store closes the store: it waits for everything under way, which
// fails. A second call does nothing.
func (d Database) Close() {
	if !d.closed.Swap(true) {
		_ = process.release(d.store) // what ended the store, its users have seen
	}
}

// Options returns what sets the options of the database: for all handles on the
// same store.
func (d Database) Options() DatabaseOptions { return DatabaseOptions(d) }

// CreateTransaction begins a transaction, which the program itself must commit,
// and run again where that is needed. Transact does both.
func (d Database) CreateTransaction() (Transaction, error) {
	if err := d.usable(); err != nil {
		return Transaction{}, err
	}
	tx, defaults := d.begin()
	return Transaction{newTransaction(d.database, tx, defaults)}, nil
}

// begin begins a transaction of kv, and returns the database's options with
// which it began.
func (d *database) begin() (*kv.Transaction, []kv.TransactionOption) {
	defaults := d.store.options.list()
	return d.store.db.Begin(d.store.ctx, defaults...), defaults
}

// GetClientStatus returns ErrMultiVersionClientUnavailable: there is no
// multi-version client whose status there could be.
func (d Database) GetClientStatus() ([]byte, error) { return nil, ErrMultiVersionClientUnavailable }

// RebootWorker is refused with unsupported_operation (2108): there is no other
// process.
func (d Database) RebootWorker(address string, checkFile bool, suspendDuration int) error {
	return refused(errUnsupported, "process %q cannot be rebooted: the store is inside this process", address)
}

// Transactor is what runs a function in a transaction: a Database, which makes
// one, commits it and runs the function again where that is needed, or a
// Transaction, which is the transaction. So functions that take a Transactor
// can call one another.
type Transactor interface {
	// Transact runs the function with a Transaction.
	Transact(func(Transaction) (interface{}, error)) (interface{}, error)

	ReadTransactor
}

// ReadTransactor is what runs a function that only reads: a Database, a
// Transaction or a Snapshot.
type ReadTransactor interface {
	// ReadTransact runs the function with a ReadTransaction.
	ReadTransact(func(ReadTransaction) (interface{}, error)) (interface{}, error)
}

var (
	_ Transactor     = Database{}
	_ Transactor     = Transaction{}
	_ ReadTransactor = Snapshot{}
)
