package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

const (
	keyBytes   = 16
	valueBytes = 100
	// scanRows is the length of scan100's scans.
	scanRows = 100
	// loadRows is the number of records that one transaction of load writes.
	loadRows = 100
	// minRecords leaves room for one scan and the reads of one transaction.
	minRecords = 2 * scanRows
)

// workload is one kind of transaction, repeated by every client.
type workload struct {
	name  string
	about string
	// isolated says that it is meaningless on a store that loses updates.
	isolated bool
	once     func(ctx context.Context, s store, c *client) (retries int, err error)
	// check, if any, looks at the store after the workload, whose transactions
	// committed so many times since the records were loaded.
	check func(ctx context.Context, s store, c *client, commits uint64) error
}

// workloads lists what follows load, in the order of the report.
func workloads() []workload {
	return []workload{
		{name: "read1", about: "1 point read", once: readMany(1)},
		{name: "read10", about: "10 point reads, issued together", once: readMany(10)},
		{name: "write1", about: "1 write", once: writeMany(1)},
		{name: "write10", about: "10 writes", once: writeMany(10)},
		{name: "mixed91", about: "9 point reads, 1 write", once: mixed91},
		{name: "rmw1", about: "get and set one random key", once: rmw1},
		{name: "scan100", about: "100 rows in order", once: scan100},
		{name: "hot1", about: "get and set one key, the same for all", isolated: true, once: hot1, check: checkHot1},
	}
}

func workloadNames() (names []string) {
	for _, w := range workloads() {
		names = append(names, w.name)
	}
	return names
}

func workloadNamed(name string) (workload, error) {
	for _, w := range workloads() {
		if w.name == name {
			return w, nil
		}
	}
	return workload{}, fmt.Errorf("unknown workload %q: choose from %v", name, workloadNames())
}

// records is what all clients share: the keys, and random bytes to cut values
// from. None of it is written to once it is made.
type records struct {
	keys   [][]byte
	random []byte
}

func makeRecords(n int) *records {
	r := &records{random: make([]byte, 1<<20)}
	buf := make([]byte, 0, n*keyBytes)
	for i := range n {
		buf = fmt.Appendf(buf, "key%013d", i)
		r.keys = append(r.keys, buf[i*keyBytes:(i+1)*keyBytes:(i+1)*keyBytes])
	}
	source := rand.NewChaCha8([32]byte{})
	for i := 0; i < len(r.random); i += 8 {
		binary.LittleEndian.PutUint64(r.random[i:], source.Uint64())
	}
	return r
}

// hotKey sorts after all records.
func hotKey() []byte { return []byte("key~hot-for-all~") }

// client is one goroutine's source of keys and values.
type client struct {
	*records
	rng *rand.Rand
	// picked is reused by pick.
	picked [][]byte
}

func newClient(r *records, seed uint64) *client {
	return &client{records: r, rng: rand.New(rand.NewPCG(seed, 0))}
}

// pick returns n random keys, valid until the next call.
func (c *client) pick(n int) [][]byte {
	c.picked = c.picked[:0]
	for range n {
		c.picked = append(c.picked, c.key())
	}
	return c.picked
}

func (c *client) key() []byte { return c.keys[c.rng.IntN(len(c.keys))] }

// value returns bytes that do not compress.
func (c *client) value() []byte {
	at := c.rng.IntN(len(c.random) - valueBytes)
	return c.random[at : at+valueBytes : at+valueBytes]
}

// checkValue is what every read does to its result, so that no store can win
// by not fetching it.
func checkValue(key, value []byte) error {
	if len(value) != valueBytes {
		return fmt.Errorf("key %q has a value of %d bytes, want %d", key, len(value), valueBytes)
	}
	return nil
}

// load writes the hot key and all the records, in random order; the client
// with the given index of all clients does its share.
func load(ctx context.Context, s store, c *client, index, clients int, order []int) (transactions int, err error) {
	if index == 0 {
		if _, err := s.Write(ctx, [][]byte{hotKey()}, make([]byte, valueBytes)); err != nil {
			return 0, err
		}
	}
	for first := index * loadRows; first < len(order); first += clients * loadRows {
		c.picked = c.picked[:0]
		for _, i := range order[first:min(first+loadRows, len(order))] {
			c.picked = append(c.picked, c.keys[i])
		}
		if _, err := s.Write(ctx, c.picked, c.value()); err != nil {
			return transactions, err
		}
		transactions++
	}
	return transactions, nil
}

func readMany(n int) func(context.Context, store, *client) (int, error) {
	return func(ctx context.Context, s store, c *client) (int, error) {
		return 0, s.Read(ctx, c.pick(n))
	}
}

func writeMany(n int) func(context.Context, store, *client) (int, error) {
	return func(ctx context.Context, s store, c *client) (int, error) {
		return s.Write(ctx, c.pick(n), c.value())
	}
}

func mixed91(ctx context.Context, s store, c *client) (int, error) {
	return s.ReadWrite(ctx, c.pick(9), c.key(), c.value())
}

func rmw1(ctx context.Context, s store, c *client) (int, error) {
	return s.Modify(ctx, c.key(), increment)
}

func scan100(ctx context.Context, s store, c *client) (int, error) {
	from := c.keys[c.rng.IntN(len(c.keys)-scanRows)]
	rows, err := s.Scan(ctx, from, scanRows)
	if err == nil && rows != scanRows {
		err = fmt.Errorf("scan from %q returned %d rows, want %d", from, rows, scanRows)
	}
	return 0, err
}

func hot1(ctx context.Context, s store, _ *client) (int, error) {
	return s.Modify(ctx, hotKey(), increment)
}

// checkHot1 compares the hot key's counter, which load set to zero, with the
// commits.
func checkHot1(ctx context.Context, s store, _ *client, commits uint64) error {
	var counter uint64
	_, err := s.Modify(ctx, hotKey(), func(value []byte) ([]byte, error) {
		counter = binary.LittleEndian.Uint64(value)
		return append([]byte(nil), value...), nil
	})
	if err == nil && counter != commits {
		err = fmt.Errorf("the hot key was incremented %d times by %d commits: updates were lost or applied twice", counter, commits)
	}
	return err
}

// increment returns value with the counter in its first eight bytes one
// higher.
func increment(value []byte) ([]byte, error) {
	if len(value) != valueBytes {
		return nil, fmt.Errorf("a value of %d bytes, want %d", len(value), valueBytes)
	}
	changed := append(make([]byte, 0, valueBytes), value...)
	binary.LittleEndian.PutUint64(changed, binary.LittleEndian.Uint64(changed)+1)
	return changed, nil
}
