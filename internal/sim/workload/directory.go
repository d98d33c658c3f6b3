package workload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/directory"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
)

// directoryCorrectness lets clients change one small tree of directories, with
// partitions and manual prefixes in it: they create, move, remove and list
// directories, put keys into them and clear them. Each transaction writes what
// it did, and what came out, to a log under its versionstamp.
//
//	D1  The outcomes of all operations are those of a plain tree to which the
//	    transactions are applied in the order of their stamps.
//	D2  All rows, of metadata and content, are those of that tree: no directory
//	    has lost a key, has one of another, or left one behind.
//	D3  The prefixes of two directories never overlap, and none is allocated
//	    twice in a tree, except that those inside a partition begin with its own.
//	D4  The log holds what was acknowledged before the read, and nothing that was
//	    aborted.
type directoryCorrectness struct {
	names  int // of directories in one place
	maxOps int

	mu struct {
		sync.Mutex
		next         uint64
		acknowledged map[uint64]bool
		aborted      map[uint64]bool
	}
}

// treeEntry is a transaction in the log.
type treeEntry struct {
	ID  uint64   `json:"id"`
	Ops []treeOp `json:"ops"`
}

// treeOp is an operation and its outcome.
type treeOp struct {
	Kind   string   `json:"kind"`
	Path   []string `json:"path"`
	To     []string `json:"to,omitempty"`
	Layer  *string  `json:"layer,omitempty"`
	Manual string   `json:"manual,omitempty"`
	// Key is what a put writes, the same as key and value.
	Key string `json:"key,omitempty"`

	// Error names the package's error that came out, Text is what else did.
	Error string `json:"error,omitempty"`
	Text  string `json:"text,omitempty"`
	// Prefixes are those of the directories along the path that was opened.
	Prefixes [][]byte `json:"prefixes,omitempty"`
}

func newDirectoryCorrectness(rng *rand.Rand) *directoryCorrectness {
	d := &directoryCorrectness{names: 2 + rng.IntN(3), maxOps: 1 + rng.IntN(4)}
	d.mu.acknowledged = make(map[uint64]bool)
	d.mu.aborted = make(map[uint64]bool)
	return d
}

// Name implements Workload.
func (*directoryCorrectness) Name() string { return "DirectoryCorrectness" }

// Setup implements Workload. There are no directories at first.
func (*directoryCorrectness) Setup(context.Context, *Env) error { return nil }

func treeNodes(env *Env) []byte { return env.Key("nodes/") }

func treeLayer(env *Env) *directory.Layer {
	return directory.NewLayer(subspace.FromBytes(treeNodes(env)), subspace.FromBytes(env.Key("data/")), directory.WithManualPrefixes())
}

// Run implements Workload.
func (d *directoryCorrectness) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		entry := treeEntry{ID: d.newID()}
		for i := range 1 + c.Rand().IntN(d.maxOps) {
			op := d.draw(env, c.Rand())
			op.Key = fmt.Sprintf("%d.%d", entry.ID, i)
			entry.Ops = append(entry.Ops, op)
		}
		outcome, err := c.Try(ctx, func(tx *kv.Transaction) error { return entry.commit(tx, env) })
		d.finish(entry.ID, outcome)
		return err
	})
}

// commit does the operations and logs them.
func (e *treeEntry) commit(tx *kv.Transaction, env *Env) error {
	root := treeLayer(env)
	for i := range e.Ops {
		if err := e.Ops[i].do(tx, root); err != nil {
			return err
		}
	}
	value, err := json.Marshal(e)
	if err != nil {
		return err
	}
	tx.SetVersionstampedKey(stampedKey(env.Key("log/")), value)
	return nil
}

func (d *directoryCorrectness) newID() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.next++
	return d.mu.next
}

func (d *directoryCorrectness) finish(id uint64, outcome Outcome) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch outcome {
	case Committed:
		d.mu.acknowledged[id] = true
	case Aborted:
		d.mu.aborted[id] = true
	}
}

// known returns copies of what is known of the transactions' outcomes.
func (d *directoryCorrectness) known() (acknowledged, aborted map[uint64]bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.mu.acknowledged), maps.Clone(d.mu.aborted)
}

// The kinds of operations.
const (
	treeOpen         = "open"
	treeCreate       = "create"
	treeCreateOrOpen = "create or open"
	treeCreatePrefix = "create with a prefix"
	treeExists       = "exists"
	treeList         = "list"
	treeMove         = "move"
	treeRemove       = "remove"
	treePut          = "put"
	treeClear        = "clear"
)

// draw returns a random operation without its key.
func (d *directoryCorrectness) draw(env *Env, rng *rand.Rand) treeOp {
	kinds := [...]string{
		treeOpen, treeCreate, treeCreate, treeCreateOrOpen, treeCreateOrOpen, treeCreatePrefix, treeCreatePrefix, treeExists, treeList,
		treeMove, treeMove, treeRemove, treeRemove, treePut, treePut, treePut, treePut, treeClear,
	}
	op := treeOp{Kind: kinds[rng.IntN(len(kinds))], Path: d.drawPath(rng)}
	switch op.Kind {
	case treeMove:
		op.To = d.drawPath(rng)
	case treeList:
		op.Path = op.Path[1:]
	case treeCreatePrefix:
		op.Manual = string(env.Key("manual/%s", [...]string{"1", "1/1", "1/2", "2", "3"}[rng.IntN(5)]))
		fallthrough
	case treeOpen, treeCreate, treeCreateOrOpen:
		if layers := [...]string{"", "layer", directory.PartitionLayer}; rng.IntN(2) == 0 {
			op.Layer = &layers[rng.IntN(len(layers))]
		}
	}
	return op
}

func (d *directoryCorrectness) drawPath(rng *rand.Rand) []string {
	path := make([]string, 1+rng.IntN(3))
	for i := range path {
		path[i] = string(rune('a' + rng.IntN(d.names)))
	}
	return path
}

// treeErrors are the errors that are outcomes, by the names that the log gives
// them.
func treeErrors() map[string]error {
	return map[string]error{
		"not found": directory.ErrNotFound, "is there": directory.ErrExists, "no parent": directory.ErrParentNotFound,
		"layer": directory.ErrLayerMismatch, "into itself": directory.ErrMoveIntoItself, "partitions": directory.ErrBetweenPartitions,
		"manual": directory.ErrManualPrefix, "in use": directory.ErrPrefixInUse, "partition root": directory.ErrPartitionRoot,
	}
}

// do does the operation and notes its outcome. An error that is none of
// treeErrors is returned.
func (op *treeOp) do(tx *kv.Transaction, root *directory.Layer) error {
	op.Error, op.Text, op.Prefixes = "", "", nil
	err := op.call(tx, root)
	for _, name := range sortedKeys(treeErrors()) {
		if errors.Is(err, treeErrors()[name]) {
			op.Error = name
			return nil
		}
	}
	return err
}

func (op *treeOp) call(tx *kv.Transaction, root *directory.Layer) (err error) {
	var layer []byte
	if op.Layer != nil {
		layer = []byte(*op.Layer)
	}
	path := op.Path
	switch op.Kind {
	case treeOpen:
		_, err = root.Open(tx, path, layer)
	case treeCreate:
		_, err = root.Create(tx, path, layer)
	case treeCreateOrOpen:
		_, err = root.CreateOrOpen(tx, path, layer)
	case treeCreatePrefix:
		_, err = root.CreatePrefix(tx, path, layer, []byte(op.Manual))
	case treeMove:
		path = op.To
		_, err = root.Move(tx, op.Path, op.To)
	case treeExists:
		exists, err := root.Exists(tx, path)
		op.Text = fmt.Sprint(exists)
		return err
	case treeList:
		names, err := root.List(tx, path)
		op.Text = strings.Join(names, " ")
		return err
	case treeRemove:
		existed, err := root.RemoveIfExists(tx, path)
		op.Text = fmt.Sprint(existed)
		return err
	case treePut, treeClear:
		return op.write(tx, root)
	}
	if err == nil {
		op.Prefixes, err = prefixesAlong(tx, root, path)
	}
	return err
}

// write changes the content of a directory.
func (op *treeOp) write(tx *kv.Transaction, root *directory.Layer) error {
	d, err := root.Open(tx, op.Path, nil)
	if err != nil {
		return err
	}
	content, err := d.Subspace()
	if err != nil {
		return err
	}
	if op.Kind == treeClear {
		tx.ClearRange(content.Range())
		return nil
	}
	tx.Set(content.Pack(tuple.Tuple{op.Key}), []byte(op.Key))
	return nil
}

// prefixesAlong returns the prefixes of all directories on a path.
func prefixesAlong(r kv.Reader, root *directory.Layer, path []string) (prefixes [][]byte, err error) {
	for i := range path {
		d, err := root.Open(r, path[:i+1], nil)
		if err != nil {
			return nil, err
		}
		prefixes = append(prefixes, d.PrefixRange().Begin)
	}
	return prefixes, nil
}
