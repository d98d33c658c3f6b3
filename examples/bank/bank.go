package bank

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/plinthdb/plinth/kv"
)

// prefix begins the keys of all accounts.
const prefix = "bank/account/"

// ErrTooLittle says that an account holds less than is to be taken from it.
var ErrTooLittle = errors.New("the account holds too little")

// Open makes so many accounts, numbered from 0, each with the same balance.
func Open(ctx context.Context, db *kv.Database, accounts int, balance int64) error {
	_, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (struct{}, error) {
		for account := range accounts {
			tx.Set(key(account), encode(balance))
		}
		return struct{}{}, nil
	})
	return err
}

// Transfer moves an amount from one account to another. It returns ErrTooLittle
// if there is too little to take.
func Transfer(ctx context.Context, db *kv.Database, from, to int, amount int64) error {
	_, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (struct{}, error) {
		if err := Change(tx, from, -amount); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, Change(tx, to, amount)
	})
	return err
}

// Change adds an amount, which may be negative, to an account. It is one half
// of a transfer: never commit it alone.
func Change(tx *kv.Transaction, account int, amount int64) error {
	value, err := tx.Get(key(account)).Wait()
	if err != nil {
		return err
	}
	balance, err := decode(value)
	if err != nil {
		return fmt.Errorf("account %d: %w", account, err)
	}
	if balance += amount; balance < 0 {
		return ErrTooLittle
	}
	tx.Set(key(account), encode(balance))
	return nil
}

// Audit returns an error unless the bank holds the sum, and no account less
// than nothing.
func Audit(ctx context.Context, db *kv.Database, sum int64) error {
	found, err := kv.ReadTransact(ctx, db, func(r kv.Reader) (found int64, err error) {
		for row, err := range r.Range(kv.PrefixRange([]byte(prefix)), kv.RangeOptions{}).All() {
			if err != nil {
				return 0, err
			}
			balance, err := decode(row.Value)
			if err != nil || balance < 0 {
				return 0, fmt.Errorf("%s holds %d: %w", row.Key, balance, errors.Join(err, ErrTooLittle))
			}
			found += balance
		}
		return found, nil
	})
	if err == nil && found != sum {
		return fmt.Errorf("the bank holds %d, it should hold %d", found, sum)
	}
	return err
}

func key(account int) []byte { return fmt.Appendf(nil, "%s%04d", prefix, account) }

func encode(balance int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(balance)) }

func decode(value []byte) (int64, error) {
	if len(value) != 8 {
		return 0, fmt.Errorf("a balance of %d bytes, it must have 8", len(value))
	}
	return int64(binary.BigEndian.Uint64(value)), nil
}
