package demo

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// openingBalance is what every account begins with.
const openingBalance = 1000

// maxAmount is the largest transfer that is tried.
const maxAmount = 100

// Bank is accounts in a store, and a record of every transfer between them.
type Bank struct {
	db   *kv.Database
	keys layout
	// accounts is how many there are, at least two.
	accounts int
}

// NewBank returns the bank in db, with accounts numbered from 0.
func NewBank(db *kv.Database, accounts int) Bank {
	return Bank{db: db, keys: newLayout(), accounts: accounts}
}

// TransferID names a transfer: each worker numbers its own from 1.
type TransferID struct {
	Worker, Number int
}

// Transfer is a transfer that was made.
type Transfer struct {
	From, To int
	// Amount is what was moved, 0 if there was nothing to move.
	Amount int64
}

func (t Transfer) encode() []byte { return tuple.Tuple{t.From, t.To, t.Amount}.Pack() }

func decodeTransfer(value []byte) (Transfer, error) {
	var t Transfer
	fields, err := unpackN(value, 3)
	if err == nil {
		err = take(fields, &t.From, &t.To, &t.Amount)
	}
	if err != nil {
		return t, fmt.Errorf("record of a transfer: %w", err)
	}
	return t, nil
}

func (b Bank) accountKey(number int) []byte { return b.keys.accounts.Pack(tuple.Tuple{number}) }
func (b Bank) transferKey(id TransferID) []byte {
	return b.keys.transfers.Pack(tuple.Tuple{id.Worker, id.Number})
}

// Open gives every account its opening balance.
func (b Bank) Open(ctx context.Context) error {
	_, err := kv.Transact(ctx, b.db, func(tx *kv.Transaction) (struct{}, error) {
		for i := range b.accounts {
			tx.Set(b.accountKey(i), encodeBalance(openingBalance))
		}
		return struct{}{}, nil
	})
	return err
}

// draw returns a random transfer to try.
func (b Bank) draw() Transfer {
	from := rand.IntN(b.accounts)
	to := (from + 1 + rand.IntN(b.accounts-1)) % b.accounts
	return Transfer{From: from, To: to, Amount: 1 + rand.Int64N(maxAmount)}
}

// Transfer moves the amount, or what is left on the account if that is less,
// and returns what it did. An id that is recorded already is not run again: the
// record is returned (D5).
func (b Bank) Transfer(ctx context.Context, id TransferID, try Transfer) (Transfer, error) {
	return kv.Transact(ctx, b.db, func(tx *kv.Transaction) (Transfer, error) {
		recorded := tx.Get(b.transferKey(id))
		from, to := tx.Get(b.accountKey(try.From)), tx.Get(b.accountKey(try.To))
		record, err := recorded.Wait()
		if err != nil {
			return Transfer{}, err
		}
		if record != nil {
			return decodeTransfer(record)
		}
		balanceFrom, err := waitBalance(from)
		if err != nil {
			return Transfer{}, err
		}
		balanceTo, err := waitBalance(to)
		if err != nil {
			return Transfer{}, err
		}
		done := try
		done.Amount = min(done.Amount, balanceFrom)
		tx.Set(b.accountKey(done.From), encodeBalance(balanceFrom-done.Amount))
		tx.Set(b.accountKey(done.To), encodeBalance(balanceTo+done.Amount))
		tx.Set(b.transferKey(id), done.encode())
		return done, nil
	})
}

func encodeBalance(n int64) []byte { return tuple.Tuple{n}.Pack() }

func decodeBalance(value []byte) (n int64, err error) {
	if value == nil {
		return 0, fmt.Errorf("an account is missing")
	}
	t, err := unpackN(value, 1)
	if err == nil {
		err = take(t, &n)
	}
	if err != nil {
		return 0, fmt.Errorf("balance of an account: %w", err)
	}
	return n, nil
}

func waitBalance(future kv.Future[[]byte]) (int64, error) {
	value, err := future.Wait()
	if err != nil {
		return 0, err
	}
	return decodeBalance(value)
}

// Sum adds up all balances at one version.
func (b Bank) Sum(ctx context.Context) (int64, error) {
	return kv.ReadTransact(ctx, b.db, func(r kv.Reader) (int64, error) {
		sum := int64(0)
		err := rows(r, b.keys.accounts.Range(), func(row kv.KeyValue) error {
			n, err := decodeBalance(row.Value)
			sum += n
			return err
		})
		return sum, err
	})
}

// ExpectedSum is what Sum returns at any version, if transactions are what they
// promise to be.
func (b Bank) ExpectedSum() int64 { return int64(b.accounts) * openingBalance }

// BankState is everything a bank holds.
type BankState struct {
	Balances  map[int]int64
	Transfers map[TransferID]Transfer
}

// State reads all of it at one version.
func (b Bank) State(ctx context.Context) (BankState, error) {
	return kv.ReadTransact(ctx, b.db, func(r kv.Reader) (BankState, error) {
		s := BankState{Balances: map[int]int64{}, Transfers: map[TransferID]Transfer{}}
		err := rows(r, b.keys.accounts.Range(), func(row kv.KeyValue) error {
			var number int
			if err := keyOf(b.keys.accounts, row.Key, &number); err != nil {
				return err
			}
			n, err := decodeBalance(row.Value)
			s.Balances[number] = n
			return err
		})
		if err != nil {
			return s, err
		}
		err = rows(r, b.keys.transfers.Range(), func(row kv.KeyValue) error {
			var id TransferID
			if err := keyOf(b.keys.transfers, row.Key, &id.Worker, &id.Number); err != nil {
				return err
			}
			t, err := decodeTransfer(row.Value)
			s.Transfers[id] = t
			return err
		})
		return s, err
	})
}
