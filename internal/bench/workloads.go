package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// Sizes of what is stored.
const (
	// KeyBytes is the length of every key, ValueBytes that of every value.
	KeyBytes   = 16
	ValueBytes = 100
	// scanRows is the length of scan100's scans.
	scanRows = 100
	// loadRows is the number of records that one transaction of load writes.
	loadRows = 100
	// MinRecords is the least number of records: it leaves room for one scan and the reads of one transaction.
	MinRecords = 2 * scanRows
)

// Workload is one kind of transaction, repeated by every client.
type Workload struct {
	Name  string
	About string
	// Writes says that each of its transactions waits for the disk.
	Writes bool
	// Isolated says that it is meaningless on a store that loses updates.
	Isolated bool
	// Once runs one transaction to its end.
	Once func(ctx context.Context, s Store, c *Client) (retries int, err error)
	// Check, if any, looks at the store after the workload, whose transactions
	// committed so many times since the records were loaded.
	Check func(ctx context.Context, s Store, commits uint64) error
}

// LoadName names the loading of the records among the workloads.
const LoadName = "load"

// Workloads lists what follows the load, in the order of reports.
func Workloads() []Workload {
	return []Workload{
		{Name: "read1", About: "1 point read", Once: readMany(1)},
		{Name: "read10", About: "10 point reads, issued together", Once: readMany(10)},
		{Name: "write1", About: "1 write", Writes: true, Once: writeMany(1)},
		{Name: "write10", About: "10 writes", Writes: true, Once: writeMany(10)},
		{Name: "mixed91", About: "9 point reads, 1 write", Writes: true, Once: mixed91},
		{Name: "rmw1", About: "get and set one random key", Writes: true, Once: rmw1},
		{Name: "scan100", About: "100 rows in order", Once: scan100},
		{Name: "hot1", About: "get and set one key, the same for all", Writes: true, Isolated: true, Once: hot1, Check: checkHot1},
	}
}

// WorkloadNames lists the names of Workloads.
func WorkloadNames() (names []string) {
	for _, w := range Workloads() {
		names = append(names, w.Name)
	}
	return names
}

// WorkloadNamed returns the workload of that name, or an error that lists those
// that there are.
func WorkloadNamed(name string) (Workload, error) {
	for _, w := range Workloads() {
		if w.Name == name {
			return w, nil
		}
	}
	return Workload{}, fmt.Errorf("unknown workload %q: choose from %v", name, WorkloadNames())
}

// Records is what all clients share: the keys, and random bytes to cut values
// from. None of it is written to once it is made.
type Records struct {
	keys   [][]byte
	random []byte
}

// Keys returns the keys of all records, in order. The caller must not change
// them.
func (r *Records) Keys() [][]byte { return r.keys }

func newRecords(n int) *Records {
	r := &Records{random: make([]byte, 1<<20)}
	buf := make([]byte, 0, n*KeyBytes)
	for i := range n {
		buf = fmt.Appendf(buf, "key%013d", i)
		r.keys = append(r.keys, buf[i*KeyBytes:(i+1)*KeyBytes:(i+1)*KeyBytes])
	}
	source := rand.NewChaCha8([32]byte{})
	for i := 0; i < len(r.random); i += 8 {
		binary.LittleEndian.PutUint64(r.random[i:], source.Uint64())
	}
	return r
}

// hotKey sorts after all records.
func hotKey() []byte { return []byte("key~hot-for-all~") }

// Client is one goroutine's source of keys and values.
type Client struct {
	*Records
	rng *rand.Rand
	// picked is reused by pick.
	picked [][]byte
}

func newClient(r *Records, seed uint64) *Client {
	return &Client{Records: r, rng: rand.New(rand.NewPCG(seed, 0))}
}

// pick returns n random keys, valid until the next call.
func (c *Client) pick(n int) [][]byte {
	c.picked = c.picked[:0]
	for range n {
		c.picked = append(c.picked, c.key())
	}
	return c.picked
}

func (c *Client) key() []byte { return c.keys[c.rng.IntN(len(c.keys))] }

// value returns bytes that do not compress.
func (c *Client) value() []byte {
	at := c.rng.IntN(len(c.random) - ValueBytes)
	return c.random[at : at+ValueBytes : at+ValueBytes]
}

// load writes the hot key and all the records, in random order; the client
// with the given index of all clients does its share.
func load(ctx context.Context, s Store, c *Client, index, clients int, order []int) (transactions int, err error) {
	if index == 0 {
		if _, err := s.Write(ctx, [][]byte{hotKey()}, make([]byte, ValueBytes)); err != nil {
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

func readMany(n int) func(context.Context, Store, *Client) (int, error) {
	return func(ctx context.Context, s Store, c *Client) (int, error) {
		return 0, s.Read(ctx, c.pick(n))
	}
}

func writeMany(n int) func(context.Context, Store, *Client) (int, error) {
	return func(ctx context.Context, s Store, c *Client) (int, error) {
		return s.Write(ctx, c.pick(n), c.value())
	}
}

func mixed91(ctx context.Context, s Store, c *Client) (int, error) {
	return s.ReadWrite(ctx, c.pick(9), c.key(), c.value())
}

func rmw1(ctx context.Context, s Store, c *Client) (int, error) {
	return s.Modify(ctx, c.key(), Increment)
}

func scan100(ctx context.Context, s Store, c *Client) (int, error) {
	from := c.keys[c.rng.IntN(len(c.keys)-scanRows)]
	rows, err := s.Scan(ctx, from, scanRows)
	if err == nil && rows != scanRows {
		err = fmt.Errorf("scan from %q returned %d rows, want %d", from, rows, scanRows)
	}
	return 0, err
}

func hot1(ctx context.Context, s Store, _ *Client) (int, error) {
	return s.Modify(ctx, hotKey(), Increment)
}

// checkHot1 compares the hot key's counter, which load set to zero, with the
// commits.
func checkHot1(ctx context.Context, s Store, commits uint64) error {
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

// Increment returns value with the counter in its first eight bytes one
// higher.
func Increment(value []byte) ([]byte, error) {
	if len(value) != ValueBytes {
		return nil, fmt.Errorf("a value of %d bytes, want %d", len(value), ValueBytes)
	}
	changed := append(make([]byte, 0, ValueBytes), value...)
	binary.LittleEndian.PutUint64(changed, binary.LittleEndian.Uint64(changed)+1)
	return changed, nil
}
