package demo

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"

	"github.com/plinthdb/plinth/kv"
)

// workedBank returns a bank in memory after some transfers, its ledger, and
// what it holds.
func workedBank(t *testing.T) (Bank, *Ledger, BankState) {
	t.Helper()
	b := NewBank(openMemory(t), testAccounts)
	if err := b.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	ledger := NewLedger()
	stop := make(chan struct{})
	enough := sync.OnceFunc(func() { close(stop) })
	var mu sync.Mutex
	report := func(m Message) error {
		mu.Lock()
		defer mu.Unlock()
		ledger.Note(m)
		if len(ledger.Acknowledged) >= 50 && ledger.Audits() >= 2 {
			enough()
		}
		return nil
	}
	if err := (Workload{Bank: b, Workers: testWorkers, Report: report}).Run(t.Context(), stop); err != nil {
		t.Fatal(err)
	}
	state, err := b.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b, ledger, state
}

func TestTransfersKeepTheSumAndAreRecorded(t *testing.T) {
	b, ledger, state := workedBank(t)
	expectOK(t, ledger.CheckAcknowledged(state))
	expectOK(t, ledger.CheckUnknown(state))
	expectOK(t, b.CheckBalances(state))
	expectOK(t, b.CheckAudits(ledger))
}

func TestATransferThatIsRepeatedIsMadeOnce(t *testing.T) {
	b, _, before := workedBank(t)
	for id, want := range before.Transfers {
		got, err := b.Transfer(t.Context(), id, Transfer{From: 0, To: 1, Amount: 7})
		if err != nil || got != want {
			t.Fatalf("repeated transfer %+v: %+v (%v), want %+v", id, got, err, want)
		}
	}
	after, err := b.State(t.Context())
	if err != nil || !maps.Equal(after.Balances, before.Balances) || !maps.Equal(after.Transfers, before.Transfers) {
		t.Errorf("repeating all transfers changed the bank (%v)", err)
	}
}

func TestAnAccountIsNeverOverdrawn(t *testing.T) {
	b := NewBank(openMemory(t), 2)
	if err := b.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int64{openingBalance - 10, 10, 0} {
		got, err := b.Transfer(t.Context(), TransferID{0, i + 1}, Transfer{From: 0, To: 1, Amount: openingBalance - 10})
		if err != nil || got.Amount != want {
			t.Errorf("transfer %d moved %d (%v), want %d", i, got.Amount, err, want)
		}
	}
}

// firstOf returns some transfer of a ledger that moved something.
func firstOf(l *Ledger) TransferID {
	for id, transfer := range l.Acknowledged {
		if transfer.Amount > 0 {
			return id
		}
	}
	return TransferID{}
}

// Each check finds the doctored thing, and no other check is needed for it.
func TestADoctoredBankFailsTheChecks(t *testing.T) {
	for name, c := range map[string]struct {
		doctor func(l *Ledger, s BankState)
		check  func(b Bank, l *Ledger, s BankState) Check
		detail string
	}{
		"acknowledged transfer missing": {
			func(l *Ledger, s BankState) { delete(s.Transfers, firstOf(l)) },
			func(_ Bank, l *Ledger, s BankState) Check { return l.CheckAcknowledged(s) }, "was acknowledged and is missing",
		},
		"acknowledged transfer with another amount": {
			func(l *Ledger, s BankState) {
				id := firstOf(l)
				transfer := s.Transfers[id]
				transfer.Amount++
				s.Transfers[id] = transfer
			},
			func(_ Bank, l *Ledger, s BankState) Check { return l.CheckAcknowledged(s) }, "acknowledged was",
		},
		"transfer from nowhere": {
			func(l *Ledger, s BankState) { s.Transfers[TransferID{0, l.newest()[0] + 2}] = Transfer{From: 0, To: 1} },
			func(_ Bank, l *Ledger, s BankState) Check { return l.CheckUnknown(s) }, "the last one acknowledged was",
		},
		"transfer of an unknown worker": {
			func(_ *Ledger, s BankState) { s.Transfers[TransferID{99, 2}] = Transfer{From: 0, To: 1} },
			func(_ Bank, l *Ledger, s BankState) Check { return l.CheckUnknown(s) }, "worker 99",
		},
		"half a transfer": {
			func(_ *Ledger, s BankState) { s.Balances[3]++ },
			Bank.checkState, "account 3 holds",
		},
		"two wrongs that add up": {
			func(_ *Ledger, s BankState) { s.Balances[3]++; s.Balances[4]-- },
			Bank.checkState, "(and 1 more)",
		},
		"account gone": {
			func(_ *Ledger, s BankState) { delete(s.Balances, 5) },
			Bank.checkState, "account 5 is missing",
		},
		"account too many": {
			func(_ *Ledger, s BankState) { s.Balances[testAccounts] = 0 },
			Bank.checkState, "account 8 holds 0",
		},
		"balance below zero": {
			func(_ *Ledger, s BankState) {
				s.Transfers[TransferID{0, 10_000}] = Transfer{From: 0, To: 1, Amount: 2_000_000}
				s.Balances[0] -= 2_000_000
				s.Balances[1] += 2_000_000
			},
			Bank.checkState, "account 0 holds -",
		},
		"audit that did not balance": {
			func(l *Ledger, _ BankState) { l.Sums[openingBalance*testAccounts-1]++ },
			func(b Bank, l *Ledger, _ BankState) Check { return b.CheckAudits(l) }, "saw a sum of 7999 instead of 8000",
		},
		"no audit": {
			func(l *Ledger, _ BankState) { clear(l.Sums) },
			func(b Bank, l *Ledger, _ BankState) Check { return b.CheckAudits(l) }, "no audit was made",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, ledger, state := workedBank(t)
			expectOK(t, c.check(b, ledger, state))
			c.doctor(ledger, state)
			expectFailure(t, c.check(b, ledger, state), c.detail)
		})
	}
}

func (b Bank) checkState(_ *Ledger, s BankState) Check { return b.CheckBalances(s) }

func TestTheTransferInFlightMayAppearAndMustThenStay(t *testing.T) {
	_, ledger, state := workedBank(t)
	id := TransferID{0, ledger.newest()[0]}
	delete(ledger.Acknowledged, id)
	expectOK(t, ledger.CheckUnknown(state))
	if n := ledger.Adopt(state); n != 1 {
		t.Errorf("%d transfers were adopted, want 1", n)
	}
	delete(state.Transfers, id)
	expectFailure(t, ledger.CheckAcknowledged(state), "is missing")
}

func TestDamagedRowsOfTheBankAreErrors(t *testing.T) {
	for name, doctor := range map[string]func(b Bank, tx *kv.Transaction){
		"balance":      func(b Bank, tx *kv.Transaction) { tx.Set(b.accountKey(1), []byte{0xfe}) },
		"transfer":     func(b Bank, tx *kv.Transaction) { tx.Set(b.transferKey(TransferID{1, 1}), nil) },
		"transfer key": func(b Bank, tx *kv.Transaction) { tx.Set(b.keys.transfers.Sub(1).Bytes(), nil) },
	} {
		b, _, _ := workedBank(t)
		change(t, b.db, func(tx *kv.Transaction) { doctor(b, tx) })
		if _, err := b.State(t.Context()); err == nil {
			t.Errorf("a damaged %s was read", name)
		}
	}
}

func TestAWorkloadEndsWithTheFirstErrorOrItsContext(t *testing.T) {
	b := NewBank(openMemory(t), testAccounts)
	if err := b.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	full := errors.New("the pipe is gone")
	err := Workload{Bank: b, Workers: testWorkers, Report: func(Message) error { return full }}.Run(t.Context(), nil)
	if !errors.Is(err, full) {
		t.Errorf("nobody listens: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = Workload{Bank: b, Workers: testWorkers, First: map[int]int{0: 1000, 1: 1000, 2: 1000, 3: 1000}, Report: func(Message) error {
		cancel()
		return nil
	}}.Run(ctx, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the context has ended: %v", err)
	}
}
