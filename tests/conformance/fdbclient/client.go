package fdbclient

import (
	"errors"
	"fmt"
	"strings"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
	"github.com/apple/foundationdb/bindings/go/src/fdb/directory"
	"github.com/apple/foundationdb/bindings/go/src/fdb/subspace"
	fdbtuple "github.com/apple/foundationdb/bindings/go/src/fdb/tuple"

	"github.com/plinthdb/plinth/kv/tuple"
	"github.com/plinthdb/plinth/tests/conformance/machine"
)

// Client is a machine.Client over fdb.
type Client struct {
	// OnCommit, if set, gets the stamp of every transaction that was committed
	// and had written something. Set it before the client is used.
	OnCommit func(stamp []byte)
	// ExactlyOnce sets automatic_idempotency in what Update runs, as kv does: its
	// retries would do something twice when an answer was lost. Transactions of
	// Begin report that. Set it before the client is used.
	ExactlyOnce bool

	db fdb.Database
}

var _ machine.Client = (*Client)(nil)

// New returns a client of db. An API version must have been selected.
func New(db fdb.Database) *Client { return &Client{db: db} }

// Begin implements machine.Client.
func (c *Client) Begin() (machine.Transaction, error) {
	tr, err := c.db.CreateTransaction()
	return c.transaction(tr), err
}

func (c *Client) transaction(tr fdb.Transaction) *transaction {
	return &transaction{reader{tr}, c, tr}
}

// Update implements machine.Client.
func (c *Client) Update(f func(machine.Transaction) error) error {
	stamp, err := c.db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		if c.ExactlyOnce {
			if err := tr.Options().SetAutomaticIdempotency(); err != nil {
				return nil, err
			}
		}
		return tr.GetVersionstamp(), f(c.transaction(tr))
	})
	if err == nil {
		c.committed(stamp.(fdb.FutureKey))
	}
	return err
}

// committed tells the stamp of a commit that has succeeded.
func (c *Client) committed(stamp fdb.FutureKey) {
	if c.OnCommit == nil {
		return
	}
	if s, err := stamp.Get(); err == nil {
		c.OnCommit(s)
	}
}

// Read implements machine.Client.
func (c *Client) Read(f func(machine.Reader) error) error {
	_, err := c.db.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
		return nil, f(reader{tr})
	})
	return err
}

// Error implements machine.Client.
func (c *Client) Error(code int) error { return fdb.Error{Code: code} }

// ErrorCode implements machine.Client.
func (c *Client) ErrorCode(err error) (int, bool) {
	var e fdb.Error
	if !errors.As(err, &e) {
		return 0, false
	}
	return e.Code, true
}

// Tuples implements machine.Client.
func (c *Client) Tuples() machine.Tuples { return tuples{} }

// Directories implements machine.Client.
func (c *Client) Directories() machine.Directory { return directoryOf{directory.Root()} }

// NewDirectories implements machine.Client.
func (c *Client) NewDirectories(nodes, contents machine.Subspace, allowManualPrefixes bool) machine.Directory {
	return directoryOf{directory.NewDirectoryLayer(plain(nodes), plain(contents), allowManualPrefixes)}
}

// plain returns what s is a subspace of; the root of a partition is all keys.
func plain(s machine.Subspace) subspace.Subspace {
	key, err := s.Key()
	if err != nil {
		return subspace.AllKeys()
	}
	return subspace.FromBytes(key)
}

// Subspace implements machine.Client.
func (c *Client) Subspace(prefix []byte, t tuple.Tuple) (s machine.Subspace, err error) {
	defer recovered(&err)
	return subspaceOf{subspace.FromBytes(prefix).Sub(elements(t)...)}, nil
}

// recovered turns a panic of the binding into an error. Its functions panic
// for what cannot be encoded, and for using the root of a partition.
func recovered(err *error) {
	switch r := recover().(type) {
	case nil:
	case error:
		*err = r
	default:
		*err = fmt.Errorf("the binding panics: %v", r)
	}
}

// tuples is fdb/tuple.
type tuples struct{}

func (tuples) Pack(t tuple.Tuple) (packed []byte, err error) {
	defer recovered(&err)
	return theirs(t).Pack(), nil
}

func (tuples) PackWithVersionstamp(prefix []byte, t tuple.Tuple) (packed []byte, err error) {
	defer recovered(&err)
	incomplete, err := theirs(t).HasIncompleteVersionstamp()
	if err != nil {
		return nil, machine.ErrManyStamps
	}
	packed, err = theirs(t).PackWithVersionstamp(prefix)
	if err != nil && !incomplete && strings.Contains(err.Error(), "No incomplete") {
		return nil, machine.ErrNoStamp
	}
	return packed, err
}

func (tuples) Unpack(packed []byte) (tuple.Tuple, error) {
	t, err := fdbtuple.Unpack(packed)
	return ours(t), err
}

func (tuples) Range(t tuple.Tuple) (begin, end []byte, err error) {
	defer recovered(&err)
	b, e := theirs(t).FDBRangeKeys()
	return b.FDBKey(), e.FDBKey(), nil
}

// Compare implements machine.Tuples; the binding has no comparison.
func (tuples) Compare(a, b tuple.Tuple) int {
	return strings.Compare(string(theirs(a).Pack()), string(theirs(b).Pack()))
}

// theirs returns a tuple as one of the binding.
func theirs(t tuple.Tuple) fdbtuple.Tuple {
	out := make(fdbtuple.Tuple, len(t))
	for i, element := range elements(t) {
		out[i] = element
	}
	return out
}

// elements returns the elements of a tuple as those of the binding.
func elements(t tuple.Tuple) []fdbtuple.TupleElement {
	out := make([]fdbtuple.TupleElement, len(t))
	for i, element := range t {
		switch v := element.(type) {
		case tuple.Tuple:
			out[i] = theirs(v)
		case tuple.UUID:
			out[i] = fdbtuple.UUID(v)
		case tuple.Versionstamp:
			out[i] = fdbtuple.Versionstamp{TransactionVersion: v.TransactionVersion, UserVersion: v.UserVersion}
		default:
			out[i] = v
		}
	}
	return out
}

// ours returns a tuple of the binding as the machine has it.
func ours(t fdbtuple.Tuple) tuple.Tuple {
	out := make(tuple.Tuple, len(t))
	for i, element := range t {
		switch v := element.(type) {
		case fdbtuple.Tuple:
			out[i] = ours(v)
		case fdbtuple.UUID:
			out[i] = tuple.UUID(v)
		case fdbtuple.Versionstamp:
			out[i] = tuple.Versionstamp{TransactionVersion: v.TransactionVersion, UserVersion: v.UserVersion}
		default:
			out[i] = v
		}
	}
	return out
}
