package kvclient

import (
	"context"
	"errors"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/directory"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
	"github.com/plinthdb/plinth/tests/conformance/machine"
)

// Client is a machine.Client over kv.
type Client struct {
	// OnCommit, if set, gets the stamp of every transaction that was committed
	// and had written something. Set it before the client is used.
	OnCommit func(kv.Stamp)

	ctx context.Context
	db  *kv.Database
}

var _ machine.Client = (*Client)(nil)

// New returns a client of db; ctx ends all its work.
func New(ctx context.Context, db *kv.Database) *Client { return &Client{ctx: ctx, db: db} }

// Begin implements machine.Client.
func (c *Client) Begin() (machine.Transaction, error) {
	return c.transaction(c.db.Begin(c.ctx)), nil
}

// Update implements machine.Client.
func (c *Client) Update(f func(machine.Transaction) error) error {
	stamp, err := kv.Transact(c.ctx, c.db, func(tx *kv.Transaction) (kv.Future[kv.Stamp], error) {
		return tx.Versionstamp(), f(c.transaction(tx))
	})
	if err == nil {
		c.committed(stamp)
	}
	return err
}

func (c *Client) transaction(tx *kv.Transaction) *transaction {
	return &transaction{reader{tx, c, tx}}
}

// committed tells the stamp of a commit that has succeeded.
func (c *Client) committed(stamp kv.Future[kv.Stamp]) {
	if c.OnCommit == nil {
		return
	}
	if s, err := stamp.Wait(); err == nil {
		c.OnCommit(s)
	}
}

// numbered returns the error with a number.
func numbered(code int) error {
	return &kv.Error{Code: code, Name: "stack_machine", Text: "error of a program for the stack machine"}
}

// Read implements machine.Client.
func (c *Client) Read(f func(machine.Reader) error) error {
	_, err := kv.ReadTransact(c.ctx, c.db, func(r kv.Reader) (struct{}, error) {
		return struct{}{}, f(reader{r, c, nil})
	})
	return err
}

// Error implements machine.Client.
func (c *Client) Error(code int) error { return numbered(code) }

// ErrorCode implements machine.Client.
func (c *Client) ErrorCode(err error) (int, bool) {
	var numbered *kv.Error
	if !errors.As(err, &numbered) {
		return 0, false
	}
	return int(numbered.Code), true
}

// Tuples implements machine.Client.
func (c *Client) Tuples() machine.Tuples { return tuples{} }

// Directories implements machine.Client.
func (c *Client) Directories() machine.Directory { return directoryOf{directory.Root()} }

// NewDirectories implements machine.Client.
func (c *Client) NewDirectories(nodes, contents machine.Subspace, allowManualPrefixes bool) machine.Directory {
	var options []directory.LayerOption
	if allowManualPrefixes {
		options = append(options, directory.WithManualPrefixes())
	}
	return directoryOf{directory.NewLayer(plain(nodes), plain(contents), options...)}
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
func (c *Client) Subspace(prefix []byte, t tuple.Tuple) (machine.Subspace, error) {
	return sub(subspace.FromBytes(prefix), t)
}

// tuples is kv/tuple.
type tuples struct{}

func (tuples) Pack(t tuple.Tuple) ([]byte, error) { return t.Append(nil) }

func (tuples) PackWithVersionstamp(prefix []byte, t tuple.Tuple) ([]byte, error) {
	packed, err := t.PackWithVersionstamp(prefix)
	if errors.Is(err, tuple.ErrIncompleteCount) {
		if t.HasIncompleteVersionstamp() {
			return nil, machine.ErrManyStamps
		}
		return nil, machine.ErrNoStamp
	}
	return packed, err
}

func (tuples) Unpack(packed []byte) (tuple.Tuple, error) { return tuple.Unpack(packed) }

func (tuples) Range(t tuple.Tuple) (begin, end []byte, err error) {
	if _, err := t.Append(nil); err != nil {
		return nil, nil, err
	}
	r := t.Range()
	return r.Begin, r.End, nil
}

func (tuples) Compare(a, b tuple.Tuple) int { return tuple.Compare(a, b) }
