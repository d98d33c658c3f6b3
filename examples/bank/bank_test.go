package bank_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/plinthdb/plinth/examples/bank"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/simtest"
)

const (
	accounts, opening = 10, 100
	sum               = accounts * opening
	tellers           = 4
)

// twoSteps breaks the bank on purpose:
//
//	plinth sim --package ./examples/bank --seed 1 --seeds 20 -- -two-steps
var twoSteps = flag.Bool("two-steps", false, "move money by two transactions, which is wrong")

func TestTransfersKeepTheSum(t *testing.T) {
	transfer := bank.Transfer
	if *twoSteps {
		transfer = transferInTwoSteps
	}
	simtest.Run(t, func(ctx context.Context, w *simtest.World) error {
		for teller := range tellers {
			// Tellers run in the process of the store, and die with it.
			w.Embedded(fmt.Sprint("teller ", teller), func(ctx context.Context, db *kv.Database, rng *rand.Rand) error {
				err := transfer(ctx, db, rng.IntN(accounts), rng.IntN(accounts), rng.Int64N(opening))
				if errors.Is(err, bank.ErrTooLittle) {
					return nil
				}
				return err
			})
		}
		w.Check("the sum", func(ctx context.Context, db *kv.Database) error {
			return bank.Audit(ctx, db, sum)
		})
		return bank.Open(ctx, w.DB(), accounts, opening)
	})
}

// An auditor on another machine must never see a transfer half-way.
func TestAuditsBalanceAtAnyTime(t *testing.T) {
	simtest.Run(t, func(ctx context.Context, w *simtest.World) error {
		w.Client("customer", func(ctx context.Context, db *kv.Database, rng *rand.Rand) error {
			err := bank.Transfer(ctx, db, rng.IntN(accounts), rng.IntN(accounts), rng.Int64N(opening))
			if errors.Is(err, bank.ErrTooLittle) {
				return nil
			}
			return err
		})
		w.Client("auditor", func(ctx context.Context, db *kv.Database, _ *rand.Rand) error {
			return bank.Audit(ctx, db, sum)
		})
		return bank.Open(ctx, w.DB(), accounts, opening)
	})
}

// transferInTwoSteps forgets that a process can die between two transactions.
func transferInTwoSteps(ctx context.Context, db *kv.Database, from, to int, amount int64) error {
	for _, change := range []struct {
		account int
		amount  int64
	}{{from, -amount}, {to, amount}} {
		_, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (struct{}, error) {
			return struct{}{}, bank.Change(tx, change.account, change.amount)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
