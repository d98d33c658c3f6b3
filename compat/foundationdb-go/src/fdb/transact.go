package fdb

import (
	"errors"

	"github.com/plinthdb/plinth/kv"
)

// Transact runs f in a new transaction, commits it and returns what f returned.
// If f or the commit fails with a retryable Error, whether returned, wrapped by
// what is returned, or panicked with, it runs f again from the beginning, so f
// must have no effect but through its Transaction. Any other error is returned,
// and nothing is committed. Other panics pass through.
//
// After commit_unknown_result (1021) f is run again too, and may apply twice,
// unless the option automatic_idempotency is set.
func (d Database) Transact(f func(Transaction) (interface{}, error)) (interface{}, error) {
	if err := d.usable(); err != nil {
		return nil, err
	}
	r := managed{handle: d.database, defaults: d.store.options.list()}
	_, err := kv.Transact(d.store.ctx, d.store.db, func(tx *kv.Transaction) (struct{}, error) {
		return struct{}{}, r.run(tx, f)
	}, r.defaults...)
	if err != nil && !r.committed {
		return r.result, delivered(r.lastWord(err))
	}
	return r.result, nil
}

// managed is a Transact under way.
type managed struct {
	handle   *database
	defaults []kv.TransactionOption // of the database, as it began
	t        *transaction
	result   interface{}
	// failed is what f returned last, as kv saw it.
	failed error
	// committed says that the transaction was committed here and not by kv.
	committed bool
}

// run runs f for kv, which commits tx afterwards or runs it again. If f has put
// another transaction in place of tx, by Reset, that is committed and run again
// here.
func (r *managed) run(tx *kv.Transaction, f func(Transaction) (interface{}, error)) (err error) {
	if r.t == nil {
		r.t = newTransaction(r.handle, tx, r.defaults)
	} else {
		r.t.afterRetry()
	}
	for {
		if r.result, err = protect(f, Transaction{r.t}); err == nil {
			r.t.settleReads()
		}
		replacement := r.t.current()
		if replacement == tx {
			r.failed = carry(err)
			return r.failed
		}
		if err == nil {
			err = bare(replacement.Commit())
		}
		if err == nil {
			r.committed = true
			return nil
		}
		if err = r.t.onError(err); err != nil {
			return err // without carry: kv must not run it again
		}
	}
}

// lastWord returns what f failed with if that ended the loop, which ended with
// err. After a commit of unknown outcome kv says so in an error around it, where
// the binding leaves it to the program to remember.
func (r *managed) lastWord(err error) error {
	if r.failed != nil && !kv.Retryable(r.failed) {
		return r.failed
	}
	return err
}

// ReadTransact runs f with a transaction that is not committed. If f fails with
// a retryable Error it is run again, as by Transact.
func (d Database) ReadTransact(f func(ReadTransaction) (interface{}, error)) (interface{}, error) {
	if err := d.usable(); err != nil {
		return nil, err
	}
	tx, defaults := d.begin()
	t := newTransaction(d.database, tx, defaults)
	for {
		result, err := protect(f, ReadTransaction(Transaction{t}))
		if err == nil {
			return result, nil // what f began to read may still be waited for
		}
		if err = t.onError(err); err != nil {
			t.current().Cancel()
			return result, err
		}
	}
}

// onError readies the transaction for another run after err, or returns the
// error that it ends with.
func (t *transaction) onError(err error) error {
	if err = t.current().OnError(carry(err)); err != nil {
		return delivered(err)
	}
	t.afterRetry()
	return nil
}

// protect runs f and returns an Error that it panics with.
func protect[T any](f func(T) (interface{}, error), argument T) (result interface{}, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case Error:
			err = r
		default:
			panic(r)
		}
	}()
	return f(argument)
}

// carriedError takes an error of the user, which is or wraps an Error, through
// the retry loop of kv.
type carriedError struct {
	original error
	number   *kv.Error
}

func (e *carriedError) Error() string   { return e.original.Error() }
func (e *carriedError) Unwrap() []error { return []error{e.number, e.original} }

// carry returns err so that kv sees its number.
func carry(err error) error {
	var number Error
	if errors.As(err, &number) {
		return &carriedError{original: err, number: kvError(number)}
	}
	return err
}

// delivered returns an error of the retry loop as its user knows it: the
// original if it is what the loop ended with.
func delivered(err error) error {
	var carried *carriedError
	if errors.As(err, &carried) {
		var number *kv.Error
		if errors.As(err, &number) && number.Code == carried.number.Code {
			return carried.original
		}
	}
	return bare(err)
}
