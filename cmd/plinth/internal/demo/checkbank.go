package demo

import (
	"maps"
	"slices"
)

// Ledger is what the demo was told by those who made transfers.
type Ledger struct {
	// Acknowledged are the transfers that were reported as committed.
	Acknowledged map[TransferID]Transfer
	// Sums are how often audits saw which sum.
	Sums map[int64]int
}

// NewLedger returns an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{Acknowledged: map[TransferID]Transfer{}, Sums: map[int64]int{}}
}

// Audits is how many audits were reported.
func (l *Ledger) Audits() (n int) {
	for _, times := range l.Sums {
		n += times
	}
	return n
}

// newest returns the number of the last acknowledged transfer of each worker.
func (l *Ledger) newest() map[int]int {
	newest := map[int]int{}
	for id := range l.Acknowledged {
		newest[id.Worker] = max(newest[id.Worker], id.Number)
	}
	return newest
}

// Adopt adds the transfers that are in the store and were not acknowledged: once
// they were seen they must stay. It returns how many there were.
func (l *Ledger) Adopt(s BankState) (unknown int) {
	for id, t := range s.Transfers {
		if _, ok := l.Acknowledged[id]; !ok {
			l.Acknowledged[id] = t
			unknown++
		}
	}
	return unknown
}

// CheckAcknowledged demands that every acknowledged transfer is recorded as it
// was acknowledged (D4).
func (l *Ledger) CheckAcknowledged(s BankState) Check {
	var f findings
	for id, want := range l.Acknowledged {
		got, ok := s.Transfers[id]
		switch {
		case !ok:
			f.addf("transfer %d of worker %d was acknowledged and is missing", id.Number, id.Worker)
		case got != want:
			f.addf("transfer %d of worker %d is recorded as %+v, acknowledged was %+v", id.Number, id.Worker, got, want)
		}
	}
	return f.check("every acknowledged transfer is there as acknowledged", "%s transfers", Count(int64(len(l.Acknowledged))))
}

// CheckUnknown demands that nothing is recorded beyond what was acknowledged,
// but the one transfer that each worker had in flight (D4).
func (l *Ledger) CheckUnknown(s BankState) Check {
	var f findings
	newest := l.newest()
	unknown := 0
	for id := range s.Transfers {
		if _, ok := l.Acknowledged[id]; ok {
			continue
		}
		unknown++
		if id.Number != newest[id.Worker]+1 {
			f.addf("transfer %d of worker %d is recorded, the last one acknowledged was %d", id.Number, id.Worker, newest[id.Worker])
		}
	}
	return f.check("nothing else appeared but transfers in flight", "%d unacknowledged made it, at most one a worker", unknown)
}

// CheckBalances demands that the balances sum up, and that each follows from
// the recorded transfers (D3).
func (b Bank) CheckBalances(s BankState) Check {
	var f findings
	expected := map[int]int64{}
	for i := range b.accounts {
		expected[i] = openingBalance
	}
	for id, t := range s.Transfers {
		if t.Amount < 0 || t.From == t.To {
			f.addf("transfer %d of worker %d is %+v", id.Number, id.Worker, t)
		}
		expected[t.From] -= t.Amount
		expected[t.To] += t.Amount
	}
	sum := int64(0)
	for number, got := range s.Balances {
		sum += got
		if want, ok := expected[number]; !ok || got != want || got < 0 {
			f.addf("account %d holds %d, its transfers make %d", number, got, want)
		}
	}
	for number := range expected {
		if _, ok := s.Balances[number]; !ok {
			f.addf("account %d is missing", number)
		}
	}
	if want := b.ExpectedSum(); sum != want {
		f.addf("the balances sum up to %d instead of %d", sum, want)
	}
	return f.check("the balances sum up and follow from the transfers", "%s accounts, %s transfers, sum %s",
		Count(int64(len(s.Balances))), Count(int64(len(s.Transfers))), Count(sum))
}

// CheckAudits demands that every audit saw the same, right sum (D3), and that
// there were any.
func (b Bank) CheckAudits(l *Ledger) Check {
	var f findings
	if l.Audits() == 0 {
		f.addf("no audit was made")
	}
	want := b.ExpectedSum()
	for _, sum := range slices.Sorted(maps.Keys(l.Sums)) {
		if sum != want {
			f.addf("%d audits saw a sum of %d instead of %d", l.Sums[sum], sum, want)
		}
	}
	return f.check("every audit balanced while transfers ran", "%s audits saw %s", Count(int64(l.Audits())), Count(want))
}
