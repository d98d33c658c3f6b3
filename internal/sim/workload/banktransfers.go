package workload

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/plinthdb/plinth/kv"
)

// bankTransfers moves money between accounts. A transfer reads two balances,
// refuses to overdraw, and writes both and an entry in the journal, whose key
// holds the versionstamp. Now and then somebody closes the books: the oldest
// entries leave the journal and become part of the opening balances, and of
// the number of closed transfers of each client.
//
// Audits sum up all accounts in three ways: by a range read, by a snapshot
// range read in a transaction that goes on to write, and by a Get for each
// account. They run next to the transfers and must balance at every moment. A
// share of all transactions is run by Transact.
//
//	B1  At every version, and for every way to read it, the balances sum up to
//	    what the bank began with, and none is negative.
//	B2  At every version a balance is the opening balance with the entries of
//	    the journal, in their order.
//	B3  At every version the transfers of each client, closed and in the
//	    journal, are at least those acknowledged before the read and at most
//	    those not known to be aborted after it, each of them once.
//	B4  The stamp in a journal key is that of the version the commit returned.
type bankTransfers struct {
	throng
	accounts int

	mu struct {
		sync.Mutex
		started, aborted, acknowledged map[int]uint64 // transfers by client
		// committed maps transfers that may be in the journal to the versions
		// of their commits.
		committed map[transferID]kv.Version
	}
}

// transferID is the n-th transfer of a client.
type transferID struct {
	client int
	n      uint64
}

// transfer is an entry of the journal.
type transfer struct {
	transferID
	from, to, amount int
}

const (
	bankOpening = 1000
	// bankClosing is how many entries leave the journal at once.
	bankClosing = 20
	// bankRemembered bounds how many commit versions of each client are
	// remembered for B4.
	bankRemembered = 2000
)

func newBankTransfers(rng *rand.Rand) *bankTransfers {
	b := &bankTransfers{throng: drawThrong(rng), accounts: 2 + rng.IntN(1<<rng.IntN(7))}
	b.mu.started, b.mu.aborted, b.mu.acknowledged = map[int]uint64{}, map[int]uint64{}, map[int]uint64{}
	b.mu.committed = make(map[transferID]kv.Version)
	return b
}

// Name implements Workload.
func (*bankTransfers) Name() string { return "BankTransfers" }

func accountKey(env *Env, account int) []byte { return env.Key("account/%04d", account) }
func openingKey(env *Env, account int) []byte { return env.Key("opening/%04d", account) }
func closedKey(env *Env, client int) []byte   { return env.Key("closed/%04d", client) }

func encodeAmount(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func decodeAmount(value []byte) (int64, error) {
	if len(value) != 8 {
		return 0, fmt.Errorf("a number holds %d bytes, not 8", len(value))
	}
	return int64(binary.BigEndian.Uint64(value)), nil
}

func (t transfer) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(t.client))
	b = binary.BigEndian.AppendUint64(b, t.n)
	for _, n := range [...]int{t.from, t.to, t.amount} {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return b
}

// decodeTransfer reads an entry between existing accounts.
func (b *bankTransfers) decodeTransfer(value []byte) (t transfer, err error) {
	if len(value) != 28 {
		return t, fmt.Errorf("an entry of the journal holds %d bytes, not 28", len(value))
	}
	t.client, t.n = int(binary.BigEndian.Uint64(value)), binary.BigEndian.Uint64(value[8:])
	t.from, t.to = int(binary.BigEndian.Uint32(value[16:])), int(binary.BigEndian.Uint32(value[20:]))
	t.amount = int(binary.BigEndian.Uint32(value[24:]))
	if t.from >= b.accounts || t.to >= b.accounts {
		return t, fmt.Errorf("an entry of the journal is between accounts %d and %d of %d", t.from, t.to, b.accounts)
	}
	return t, nil
}

// Setup implements Workload.
func (b *bankTransfers) Setup(ctx context.Context, env *Env) error {
	return env.Setup(ctx, func(tx *kv.Transaction) error {
		for a := range b.accounts {
			tx.Set(accountKey(env, a), encodeAmount(bankOpening))
			tx.Set(openingKey(env, a), encodeAmount(bankOpening))
		}
		return nil
	})
}

// Run implements Workload.
func (b *bankTransfers) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		switch n := c.Rand().IntN(20); {
		case n == 0:
			return b.closeBooks(ctx, env, c)
		case n < 5:
			_, err := c.Do(ctx, func(tx *kv.Transaction) error { return b.audit(env, c, tx) })
			return err
		}
		return b.transfer(ctx, env, c)
	})
}

// transfer moves a random amount, if the account holds it.
func (b *bankTransfers) transfer(ctx context.Context, env *Env, c *Client) error {
	rng := c.Rand()
	t := transfer{transferID: transferID{client: c.ID()}, from: rng.IntN(b.accounts), amount: rng.IntN(bankOpening)}
	t.to = (t.from + 1 + rng.IntN(b.accounts-1)) % b.accounts
	t.n = b.begin(c)
	refused, moved := false, false
	outcome, err := c.Do(ctx, func(tx *kv.Transaction) (err error) {
		refused, err = b.move(env, c, tx, t)
		moved = moved || !refused && err == nil
		return err
	})
	// What became of runs before one that was refused is known if the process
	// lives: they were not committed.
	if refused && (outcome != Unknown || !moved) {
		outcome = Aborted
	}
	b.end(t.transferID, outcome, c.LastCommit())
	return err
}

func (b *bankTransfers) move(env *Env, c *Client, tx *kv.Transaction, t transfer) (refused bool, err error) {
	balances, err := b.balances(c, tx, accountKey(env, t.from), accountKey(env, t.to))
	if err != nil {
		return false, err
	}
	if balances[0] < int64(t.amount) {
		return true, nil
	}
	tx.Set(accountKey(env, t.from), encodeAmount(balances[0]-int64(t.amount)))
	tx.Set(accountKey(env, t.to), encodeAmount(balances[1]+int64(t.amount)))
	tx.SetVersionstampedKey(stampedKey(env.Key("journal/")), t.encode())
	return false, nil
}

// balances reads keys together.
func (b *bankTransfers) balances(c *Client, r kv.Reader, keys ...[]byte) ([]int64, error) {
	var futures []kv.Future[[]byte]
	for _, key := range keys {
		futures = append(futures, r.Get(key))
	}
	var balances []int64
	for i, f := range futures {
		value, err := f.Wait()
		if err != nil {
			return nil, err
		}
		n, err := decodeAmount(value)
		if err != nil {
			return nil, c.Violated("B1", "%q: %v", keys[i], err)
		}
		balances = append(balances, n)
	}
	return balances, nil
}

// audit sums up all accounts in one of three ways (B1).
func (b *bankTransfers) audit(env *Env, c *Client, tx *kv.Transaction) error {
	var balances []int64
	var err error
	way := [...]string{"a range read", "a snapshot range read", "reads of single keys"}[c.Rand().IntN(3)]
	switch way {
	case "a range read":
		balances, err = b.rangeOfBalances(env, c, tx)
	case "a snapshot range read":
		if balances, err = b.rangeOfBalances(env, c, tx.Snapshot()); err == nil {
			tx.Set(env.Key("audited/%04d", c.ID()), nil)
		}
	default:
		var keys [][]byte
		for a := range b.accounts {
			keys = append(keys, accountKey(env, a))
		}
		balances, err = b.balances(c, tx, keys...)
	}
	if err != nil {
		return err
	}
	if wrong := b.unbalanced(balances); wrong != "" {
		return c.Violated("B1", "by %s %s", way, wrong)
	}
	return nil
}

func (b *bankTransfers) rangeOfBalances(env *Env, c *Client, r kv.Reader) ([]int64, error) {
	var balances []int64
	for row, err := range r.Range(kv.PrefixRange(env.Key("account/")), kv.RangeOptions{Reverse: c.Rand().IntN(2) == 0}).All() {
		if err != nil {
			return nil, err
		}
		n, err := decodeAmount(row.Value)
		if err != nil {
			return nil, c.Violated("B1", "%q: %v", row.Key, err)
		}
		balances = append(balances, n)
	}
	return balances, nil
}

// unbalanced says what is wrong with the balances of all accounts.
func (b *bankTransfers) unbalanced(balances []int64) string {
	var sum int64
	for _, n := range balances {
		sum += n
	}
	switch {
	case len(balances) != b.accounts:
		return fmt.Sprintf("there are %d accounts, not %d", len(balances), b.accounts)
	case sum != int64(b.accounts)*bankOpening:
		return fmt.Sprintf("the balances sum up to %d, not %d: %v", sum, b.accounts*bankOpening, balances)
	case slices.Min(balances) < 0:
		return fmt.Sprintf("a balance is negative: %v", balances)
	}
	return ""
}

// closeBooks takes the oldest entries out of the journal.
func (b *bankTransfers) closeBooks(ctx context.Context, env *Env, c *Client) error {
	_, err := c.Do(ctx, func(tx *kv.Transaction) error {
		rows, err := tx.Range(kv.PrefixRange(env.Key("journal/")), kv.RangeOptions{Limit: bankClosing}).Slice()
		if err != nil || len(rows) < bankClosing {
			return err
		}
		sums := make(map[string]int64) // by key
		for _, row := range rows {
			t, err := b.decodeTransfer(row.Value)
			if err != nil {
				return c.Violated("B2", "%q: %v", row.Key, err)
			}
			sums[string(openingKey(env, t.from))] -= int64(t.amount)
			sums[string(openingKey(env, t.to))] += int64(t.amount)
			sums[string(closedKey(env, t.client))]++
		}
		for _, key := range sortedKeys(sums) {
			if err := b.increase(c, tx, []byte(key), sums[key]); err != nil {
				return err
			}
		}
		tx.ClearRange(kv.KeyRange{Begin: rows[0].Key, End: kv.KeyAfter(rows[len(rows)-1].Key)})
		return nil
	})
	return err
}

// increase adds to a number, which is 0 if it is absent.
func (b *bankTransfers) increase(c *Client, tx *kv.Transaction, key []byte, by int64) error {
	value, err := tx.Get(key).Wait()
	if err != nil {
		return err
	}
	var n int64
	if value != nil {
		if n, err = decodeAmount(value); err != nil {
			return c.Violated("B2", "%q: %v", key, err)
		}
	}
	tx.Set(key, encodeAmount(n+by))
	return nil
}

func (b *bankTransfers) begin(c *Client) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.started[c.ID()]++
	return b.mu.started[c.ID()]
}

func (b *bankTransfers) end(id transferID, outcome Outcome, version kv.Version) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch outcome {
	case Committed:
		b.mu.acknowledged[id.client]++
		b.mu.committed[id] = version
	case Aborted:
		b.mu.aborted[id.client]++
	}
	if id.n > bankRemembered {
		delete(b.mu.committed, transferID{id.client, id.n - bankRemembered})
	}
}

// bounds are, by client, how many transfers there must and can be.
func (b *bankTransfers) bounds() (low, high map[int]uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	low, high = make(map[int]uint64), make(map[int]uint64)
	for client, n := range b.mu.started {
		low[client], high[client] = b.mu.acknowledged[client], n-b.mu.aborted[client]
	}
	return low, high
}

func (b *bankTransfers) commitOf(id transferID) (kv.Version, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, ok := b.mu.committed[id]
	return v, ok
}

// Check implements Workload.
func (b *bankTransfers) Check(ctx context.Context, env *Env) error {
	low, _ := b.bounds()
	rows, version, err := env.ReadAll(ctx)
	if err != nil {
		return err
	}
	_, high := b.bounds()
	books, err := b.readBooks(env, rows)
	if err != nil {
		return err
	}
	if wrong := b.unbalanced(books.balances); wrong != "" {
		return env.Violated("B1", "at version %d %s", version, wrong)
	}
	if !slices.Equal(books.balances, books.expected) {
		return env.Violated("B2", "at version %d the balances are %v, the journal gives %v", version, books.balances, books.expected)
	}
	for client := range env.clients {
		if n := books.transfers(client); n < low[client] || n > high[client] {
			return env.Violated("B3", "at version %d there are %d transfers of client %d; %d were acknowledged before, %d are not known to be aborted",
				version, n, client, low[client], high[client])
		}
	}
	return nil
}
