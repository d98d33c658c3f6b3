package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// position is a place in the order of the store's versions: a commit stands at
// its version and its place in the batch, a read after all commits of its
// version. The zero position is not known.
type position struct {
	version int64
	order   int
}

const afterCommits = math.MaxInt

func (p position) known() bool { return p.version != 0 }

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.version, q.version), cmp.Compare(p.order, q.order))
}

func (t *Transaction) commitPosition() position {
	if t.CommitVersion == 0 || t.Outcome == Aborted {
		return position{}
	}
	return position{t.CommitVersion, t.Order}
}

func (t *Transaction) readPosition() position {
	if t.ReadVersion == 0 {
		return position{}
	}
	return position{t.ReadVersion, afterCommits}
}

// version is one state of a key. The first state of every key is its absence,
// written by nobody.
type version struct {
	txn    int32 // nobody is -1
	absent bool
	value  string // for a list the last element
	at     position
}

// orders is what is known of the order of writes.
type orders struct {
	*scanner
	happened []bool
	versions [][]version // by key
	// hazy is, by key, when the first transaction began that may have cleared
	// the key nobody knows when; math.MaxInt64 is never.
	hazy []int64
	// broken are lists whose order contradicts itself, which is a finding.
	broken []bool
}

func order(s *scanner) *orders {
	o := &orders{
		scanner:  s,
		happened: make([]bool, len(s.history.Transactions)),
		versions: make([][]version, len(s.keys)),
		hazy:     make([]int64, len(s.keys)),
		broken:   make([]bool, len(s.keys)),
	}
	o.checkVersions()
	longest := make([][]string, len(s.keys))
	seenAt := o.observe(longest)
	o.install(seenAt)
	for key := range o.versions {
		if s.lists[key] {
			o.orderList(int32(key), longest[key])
		} else {
			o.orderRegister(int32(key))
		}
		o.place(int32(key))
	}
	return o
}

// checkVersions looks for versions that cannot be.
func (o *orders) checkVersions() {
	taken := make(map[position]int)
	for n := range o.history.Transactions {
		t := &o.history.Transactions[n]
		p := t.commitPosition()
		if !p.known() {
			continue
		}
		if t.ReadVersion >= p.version {
			o.report(BadVersion, "commit version not above read version", int32(n), -1)
		}
		if other, ok := taken[p]; ok {
			o.report(BadVersion, "two transactions at one place in the order of commits", int32(n), int32(other))
		}
		taken[p] = n
	}
}

// observe decides which transactions happened (H3). It finds the longest state
// of each list that anybody saw, and, for a value whose commit version is not
// known, the first position at which it was seen.
func (o *orders) observe(longest [][]string) map[slot]position {
	seenAt := make(map[slot]position)
	for n := range o.history.Transactions {
		t := &o.history.Transactions[n]
		if t.Outcome == Committed || t.commitPosition().known() {
			o.happened[n] = true
		}
		for i := range o.reads[n] {
			r := &o.reads[n][i]
			if r.list {
				for _, e := range r.elements {
					o.see(int32(n), slot{r.key, e}, seenAt)
				}
				if len(r.elements) > len(longest[r.key]) {
					longest[r.key] = r.elements
				}
			} else if !r.absent {
				o.see(int32(n), slot{r.key, r.value}, seenAt)
			}
		}
	}
	return seenAt
}

func (o *orders) see(reader int32, at slot, seenAt map[slot]position) {
	w, ok := o.writers[at]
	if !ok || w.txn == reader {
		return
	}
	if o.history.Transactions[w.txn].Outcome == Unknown {
		o.happened[w.txn] = true
	}
	if o.history.Transactions[w.txn].commitPosition().known() {
		return
	}
	p := o.lookedAt(reader)
	if before, ok := seenAt[at]; p.known() && (!ok || p.compare(before) < 0) {
		seenAt[at] = p
	}
}

// lookedAt is the position of the reads of a transaction: its read version, or
// else just before its commit.
func (o *orders) lookedAt(reader int32) position {
	t := &o.history.Transactions[reader]
	if p := t.readPosition(); p.known() {
		return p
	}
	p := t.commitPosition()
	if p.known() {
		p.order--
	}
	return p
}

// install collects the versions of each key, in no order yet.
func (o *orders) install(seenAt map[slot]position) {
	for key := range o.versions {
		o.versions[key] = []version{{txn: -1, absent: true}}
		o.hazy[key] = math.MaxInt64
	}
	for n := range o.history.Transactions {
		t := &o.history.Transactions[n]
		for _, e := range o.effects[n] {
			v := version{txn: int32(n), absent: e.absent, value: e.value, at: t.commitPosition()}
			if !v.at.known() && o.happened[n] {
				v.at = seenAt[slot{e.key, e.value}]
			}
			switch {
			case e.absent && t.Outcome != Aborted && !t.commitPosition().known():
				o.hazy[e.key] = min(o.hazy[e.key], t.Begin)
			case o.happened[n]:
				o.versions[e.key] = append(o.versions[e.key], v)
			}
		}
	}
}

// orderRegister sorts the versions of a register and drops those whose
// position nobody knows: they have a writer and readers, but no neighbours.
func (o *orders) orderRegister(key int32) {
	all := o.versions[key]
	known := slices.DeleteFunc(all[1:], func(v version) bool { return !v.at.known() })
	slices.SortStableFunc(known, func(a, b version) int { return a.at.compare(b.at) })
	o.versions[key] = all[:1+len(known)]
}

// orderList puts the elements that somebody saw into the order in which they
// were seen, whatever their versions are, and the others after them.
func (o *orders) orderList(key int32, seen []string) {
	byElement := make(map[string]version)
	for _, v := range o.versions[key][1:] {
		byElement[v.value] = v
	}
	ordered := o.versions[key][:1:1]
	met := make(map[string]bool, len(seen))
	for _, e := range seen {
		v, ok := byElement[e]
		switch {
		case met[e]:
			o.found.add(Anomaly{Kind: Duplicate, Text: fmt.Sprintf("%s was read as %v, which holds %q twice", o.keys[key], seen, e)})
			o.broken[key] = true
			return
		case !ok:
			// Nobody wrote it, or an aborted transaction: each read of it is a
			// finding of its own.
			v = version{txn: -1, value: e}
		}
		met[e] = true
		ordered = append(ordered, v)
	}
	rest := slices.DeleteFunc(o.versions[key][1:], func(v version) bool { return met[v.value] || !v.at.known() })
	slices.SortStableFunc(rest, func(a, b version) int { return a.at.compare(b.at) })
	o.versions[key] = append(ordered, rest...)
}

// place notes where each value stands.
func (o *orders) place(key int32) {
	for i, v := range o.versions[key] {
		if v.txn < 0 || v.absent {
			continue
		}
		at := slot{key, v.value}
		w := o.writers[at]
		w.place = int32(i)
		o.writers[at] = w
	}
}

// newestAbsence returns the place of the version that a reader at position p
// saw who found the key absent: the newest state at p if it is an absence,
// else the newest absence before it, from which the finding follows. It returns
// noPlace if that cannot be told.
func (o *orders) newestAbsence(key int32, p position, end int64) int32 {
	versions := o.versions[key]
	if !p.known() {
		if o.hazy[key] <= end || slices.ContainsFunc(versions[1:], func(v version) bool { return v.absent }) {
			return noPlace
		}
		return 0
	}
	i, _ := slices.BinarySearchFunc(versions, p, func(v version, p position) int {
		if v.at.compare(p) <= 0 {
			return -1
		}
		return 1
	})
	i--
	if !versions[i].absent && o.hazy[key] <= end {
		return noPlace
	}
	for !versions[i].absent {
		i--
	}
	return int32(i)
}
