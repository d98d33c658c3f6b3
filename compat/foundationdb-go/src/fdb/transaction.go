package fdb

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/plinthdb/plinth/kv"
)

// Transaction is a transaction: reads of one moment and writes that become
// visible together, with the commit, if nothing that was read has been changed
// since. It may be copied and used by several goroutines.
//
// Writing methods return no error. The first invalid write makes all later
// reads and the commit fail, before anything is sent.
type Transaction struct{ *transaction }

type transaction struct {
	handle *database
	// version is the API version.
	version int
	tx      atomic.Pointer[kv.Transaction]

	mu struct {
		sync.Mutex
		// lastGet is the latest Get: waiting for it sends them all.
		lastGet kv.Future[[]byte]
		gets    bool
		block   []byteSlice // room for the futures of Gets
		// firstGets is the first block.
		firstGets [4]byteSlice
		// reads are the other reads, each of which is sent on its own.
		reads     []pendingRead
		firstRead [1]pendingRead // room for the first of them, used once
		// limited says that an option was set which API versions below 610 reset
		// with a retry.
		limited bool
		// defaults is the database's options of when the transaction began, which
		// must not be changed.
		defaults   []kv.TransactionOption
		identified bool // debug_transaction_identifier was set
		cleanup    bool // the end of the transaction is cared for
		// committed is the version of a commit that was followed by a reset.
		committed int64
		// failed is the transaction whose commit failed, if another one was put in
		// its place: API versions below 410 do that.
		failed *kv.Transaction
		// read says that something was read.
		read bool
		// readVersion is what GetReadVersion returns behind a commit, 0 if that is
		// not known.
		readVersion int64
		withPorts   bool // include_port_in_address was set
		// withoutConflict says that the next write adds no conflict. It is kept for
		// padAbsent alone.
		withoutConflict bool
	}
}

// newTransaction returns what stands for tx, which began with the database's
// options defaults.
func newTransaction(handle *database, tx *kv.Transaction, defaults []kv.TransactionOption) *transaction {
	t := &transaction{handle: handle, version: int(selected.version.Load())}
	t.tx.Store(tx)
	t.mu.defaults = defaults
	t.mu.block, t.mu.reads = t.mu.firstGets[:0], t.mu.firstRead[:0]
	return t
}

// current returns the transaction of kv that t stands for.
func (t *transaction) current() *kv.Transaction { return t.tx.Load() }

// GetDatabase returns the database of the transaction.
func (t Transaction) GetDatabase() Database { return Database{t.handle} }

// Options returns what sets the options of the transaction.
func (t Transaction) Options() TransactionOptions { return TransactionOptions(t) }

// Transact runs f with this transaction, so that functions that take a
// Transactor can call one another. It recovers a panic with an Error and
// returns it; it neither commits nor runs f again.
func (t Transaction) Transact(f func(Transaction) (interface{}, error)) (r interface{}, e error) {
	return protect(f, t)
}

// ReadTransact is Transact for functions that only read.
func (t Transaction) ReadTransact(f func(ReadTransaction) (interface{}, error)) (r interface{}, e error) {
	return protect(f, ReadTransaction(t))
}

// Commit begins to commit the transaction; the future is ready when its end is
// known. All reads that were issued before are carried out first. After an
// error pass that to OnError; after success only Reset makes the transaction
// usable again (API versions below 410 do so by themselves, after an error too).
func (t Transaction) Commit() FutureNil {
	f := newFutureNil(t.transaction, t.commit)
	f.IsReady() // begins
	return f
}

func (t *transaction) commit() error {
	t.settleReads()
	tx := t.current()
	t.keepReadVersion(tx)
	err := tx.Commit()
	t.afterCommit(tx, err)
	return err
}

// noVersion is what GetCommittedVersion returns if there is none.
const noVersion = -1

// GetCommittedVersion returns the version of the successful commit, -1 if there
// was none or if the transaction wrote nothing.
func (t Transaction) GetCommittedVersion() (int64, error) {
	t.handle.store.keepTime()
	if version, err := t.current().CommittedVersion(); err == nil {
		return int64(version), nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.committed != 0 {
		return t.mu.committed, nil
	}
	return noVersion, nil
}

// GetVersionstamp returns the future stamp of the commit, which versionstamped
// operations write. Wait for it after the commit. A transaction that wrote
// nothing has none: error 2021.
func (t Transaction) GetVersionstamp() FutureKey {
	stamp := t.current().Versionstamp()
	return newFuture(t.transaction, func() (Key, error) {
		s, err := stamp.Wait()
		if err != nil {
			return nil, err
		}
		return Key(s[:]), nil
	})
}

// OnError begins to ready the transaction for another try after e, if that is
// retryable: it resets the transaction and waits a while. If not, or if the
// limit of retries is reached, the future's error is e, and what follows fails
// with transaction_cancelled (1025) until a Reset (API versions below 610 reset
// the transaction here as well).
func (t Transaction) OnError(e Error) FutureNil {
	t.takeBack()
	f := newFutureNil(t.transaction, func() error {
		err := t.onError(e)
		switch {
		case err == nil:
		case t.version < versionCancelsOnError:
			t.reset()
		default:
			t.Cancel()
		}
		return err
	})
	f.IsReady() // begins
	return f
}

// Cancel ends the transaction: what is under way or follows fails with
// transaction_cancelled (1025). During a commit nobody knows its outcome then.
func (t Transaction) Cancel() { t.current().Cancel() }

// Reset makes a new transaction of it: reads, writes, options and a Cancel are
// forgotten, and futures and watches of before fail.
func (t Transaction) Reset() { t.reset() }

func (t *transaction) reset() {
	next, defaults := t.handle.begin()
	old := t.tx.Swap(next) // C1
	old.Reset()            // a Transact may still commit it: nothing
	t.mu.Lock()
	failed := t.mu.failed
	t.forgetLocked()
	t.mu.limited, t.mu.cleanup, t.mu.committed, t.mu.failed = false, false, 0, nil
	t.mu.defaults = defaults
	t.mu.Unlock()
	if failed != nil {
		failed.Cancel()
	}
}

// afterRetry forgets what belonged to the last try.
func (t *transaction) afterRetry() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forgetLocked()
	if t.mu.limited && t.version < versionPersistentOptions {
		t.mu.limited = false
		none := []kv.TransactionOption{kv.WithTimeout(0), kv.WithRetryLimit(-1), kv.WithMaxRetryDelay(defaultMaxRetryDelay)}
		t.current().SetOptions(append(none, t.mu.defaults...)...)
	}
}

func (t *transaction) forgetLocked() {
	t.mu.gets, t.mu.reads, t.mu.identified = false, nil, false
	t.mu.read, t.mu.readVersion, t.mu.withPorts, t.mu.withoutConflict = false, 0, false, false
}

// settleReads carries out all reads that were issued and that nobody waited
// for, as a commit of FoundationDB does. Their errors are their readers'.
func (t *transaction) settleReads() {
	t.mu.Lock()
	get, gets, reads := t.mu.lastGet, t.mu.gets, t.mu.reads
	t.mu.gets, t.mu.reads = false, nil
	t.mu.Unlock()
	if gets {
		_, _ = get.Wait()
	}
	for _, read := range reads {
		read.carryOut()
	}
	clear(reads) // what they hold can go
}

// pendingRead is a read that may not have been sent yet.
type pendingRead interface {
	carryOut()
	// carriedOut reports that its outcome is known.
	carriedOut() bool
}

// noteRead keeps a read for settleReads. When the list is full those that were
// carried out are dropped, and what they hold with them.
func (t *transaction) noteRead(read pendingRead) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.mu.reads) == cap(t.mu.reads) {
		t.mu.reads = slices.DeleteFunc(t.mu.reads, pendingRead.carriedOut)
	}
	t.mu.reads, t.mu.read = append(t.mu.reads, read), true
}

// cancelWhenDropped cancels the transaction of kv when the program has no
// Transaction for it any more, as its watches would wait for ever.
func (t *transaction) cancelWhenDropped() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.mu.cleanup {
		t.mu.cleanup = true
		runtime.AddCleanup(t, (*kv.Transaction).Cancel, t.current())
	}
}
