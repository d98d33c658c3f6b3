package history

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func by(client int, t Transaction) Transaction { t.Client = client; return t }

func TestRegistersThatAreNotLinearizableAreFound(t *testing.T) {
	cases := []struct {
		name    string
		history []Transaction
		want    Verdict
	}{
		{"nothing", nil, Linearizable},
		{"a read of what was written", []Transaction{txn(0, 1, 0, 0, w("x", "1")), txn(2, 3, 0, 0, r("x", "1"))}, Linearizable},
		{"a stale read", []Transaction{txn(0, 1, 0, 0, w("x", "1")), txn(2, 3, 0, 0, none("x"))}, NotLinearizable},
		{"a read at the same time", []Transaction{txn(0, 9, 0, 0, w("x", "1")), txn(2, 3, 0, 0, none("x"))}, Linearizable},
		{"a lost update", []Transaction{txn(0, 9, 0, 0, none("x"), w("x", "1")), txn(0, 9, 0, 0, none("x"), w("x", "2"))}, NotLinearizable},
		{"a snapshot read before a write", []Transaction{
			txn(0, 9, 0, 0, none("x"), w("x", "1")), txn(0, 9, 0, 0, snap(none("x")), w("x", "2")),
		}, Linearizable},
		{"an aborted write", []Transaction{aborted(0, 1, 0, w("x", "1")), txn(2, 3, 0, 0, r("x", "1"))}, NotLinearizable},
		{"an unknown write that happened late", []Transaction{
			unknown(0, 1, 0, w("x", "1")), txn(2, 3, 0, 0, none("x")), txn(4, 5, 0, 0, r("x", "1")),
		}, Linearizable},
		{"an unknown write that happened twice", []Transaction{
			unknown(0, 1, 0, w("x", "1")), txn(2, 3, 0, 0, r("x", "1")), txn(4, 5, 0, 0, del("x")), txn(6, 7, 0, 0, r("x", "1")),
		}, NotLinearizable},
		{"an unknown swap that never happened", []Transaction{
			unknown(0, 1, 0, r("x", "0"), w("x", "1")), txn(2, 3, 0, 0, none("x")),
		}, Linearizable},
		{"the second key", []Transaction{txn(0, 1, 0, 0, w("x", "1"), w("y", "1")), txn(2, 3, 0, 0, r("x", "1"), none("y"))}, NotLinearizable},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := &History{Transactions: c.history}
			if got, err := CheckRegisters(h, 1000); err != nil || got != c.want {
				t.Errorf("%v (%v), want %v", got, err, c.want)
			}
		})
	}
}

func TestASearchThatIsTooLongIsUndecided(t *testing.T) {
	h := new(History)
	for n := range 12 {
		h.Transactions = append(h.Transactions, unknown(0, 1, 0, w("x", string(rune('a'+n)))))
	}
	h.Transactions = append(h.Transactions, txn(2, 3, 0, 0, r("x", "z")))
	if got, err := CheckRegisters(h, 1000); err != nil || got != Undecided {
		t.Errorf("%v (%v), want undecided", got, err)
	}
}

func TestBothCheckersAgreeOnSingleRegisters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(rapidChance{t}, 3, 20, true)
		m.registers = 1
		h := m.run(rapid.IntRange(10, 60).Draw(t, "steps"))
		single := new(History)
		for _, txn := range h.Transactions {
			var ops []Op
			for _, op := range txn.Ops {
				if op.Kind == ClearRange && op.Key <= register(0) && register(0) < op.End {
					op = del(register(0))
				}
				if (op.Kind == Read || op.Kind == Write || op.Kind == Clear) && !op.Snapshot {
					ops = append(ops, op)
				}
			}
			txn.Ops = ops
			single.Transactions = append(single.Transactions, txn)
		}
		if got, err := CheckRegisters(single, 100_000); err != nil || got != Linearizable {
			t.Fatalf("%v (%v), want linearizable", got, err)
		}
	})
}

func TestThePictureShowsTheOperationsOfTheBadKey(t *testing.T) {
	h := &History{Transactions: []Transaction{
		txn(0, 1, 0, 0, w("good", "1")), by(1, txn(0, 1, 0, 0, w("bad", "before"))), txn(2, 3, 0, 0, none("bad")),
	}}
	var picture bytes.Buffer
	if err := WriteHTML(&picture, h, 1000); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<html", `bad: wrote \"before\"`, "bad: read (absent)"} {
		if !strings.Contains(picture.String(), want) {
			t.Errorf("the picture has no %q", want)
		}
	}
	if strings.Contains(picture.String(), "good: wrote") {
		t.Error("the picture shows a key that is fine")
	}
	lists := &History{Transactions: []Transaction{txn(0, 1, 0, 0, app("x", "1"))}}
	if err := WriteHTML(&picture, lists, 1000); !errors.Is(err, ErrUnusable) {
		t.Errorf("a picture of lists: %v, want ErrUnusable", err)
	}
	if _, err := CheckRegisters(lists, 1000); !errors.Is(err, ErrUnusable) {
		t.Errorf("registers of lists: %v, want ErrUnusable", err)
	}
}

func elle(t *testing.T, h *History) string {
	t.Helper()
	var b strings.Builder
	if err := WriteElle(&b, h); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestListsAreExportedAsElleReadsThem(t *testing.T) {
	got := elle(t, &History{Transactions: []Transaction{
		by(0, txn(1, 4, 0, 0, app("x", "1"), list("y", "7", "8"), snap(list("y")))),
		by(1, unknown(2, 5, 0, app("y", "9"))),
		by(1, txn(5, 7, 0, 0, list("y"))),
		by(0, aborted(6, 8, 0, list("x", "1"), app(`a"b`, "one\ntwo"))),
	}})
	want := `{:index 0, :type :invoke, :process 0, :time 1, :f :txn, :value [[:append "x" 1] [:r "y" nil]]}
{:index 1, :type :invoke, :process 1, :time 2, :f :txn, :value [[:append "y" 9]]}
{:index 2, :type :ok, :process 0, :time 4, :f :txn, :value [[:append "x" 1] [:r "y" [7 8]]]}
{:index 3, :type :info, :process 1, :time 5, :f :txn, :value [[:append "y" 9]]}
{:index 4, :type :invoke, :process 3, :time 5, :f :txn, :value [[:r "y" nil]]}
{:index 5, :type :invoke, :process 0, :time 6, :f :txn, :value [[:r "x" nil] [:append "a\"b" "one\ntwo"]]}
{:index 6, :type :ok, :process 3, :time 7, :f :txn, :value [[:r "y" []]]}
{:index 7, :type :fail, :process 0, :time 8, :f :txn, :value [[:r "x" nil] [:append "a\"b" "one\ntwo"]]}
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRegistersAreExportedAsElleReadsThem(t *testing.T) {
	got := elle(t, &History{Transactions: []Transaction{
		txn(1, 4, 0, 0, w("x", "1"), none("y"), rows("a", "z", Row{"p", "5"}, Row{"q", "06"})),
	}})
	want := `{:index 0, :type :invoke, :process 0, :time 1, :f :txn, :value [[:w "x" 1] [:r "y" nil] [:r "p" nil] [:r "q" nil]]}
{:index 1, :type :ok, :process 0, :time 4, :f :txn, :value [[:w "x" 1] [:r "y" nil] [:r "p" 5] [:r "q" "06"]]}
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWhatElleCannotReadIsRefused(t *testing.T) {
	for name, bad := range map[string][]Transaction{
		"clears":              {txn(0, 1, 0, 0, del("x"))},
		"lists and registers": {txn(0, 1, 0, 0, app("x", "1"), w("y", "1"))},
		"two at once":         {txn(0, 9, 0, 0, w("x", "1")), txn(2, 5, 0, 0, w("x", "2"))},
	} {
		if err := WriteElle(new(bytes.Buffer), &History{Transactions: bad}); !errors.Is(err, ErrUnusable) {
			t.Errorf("%s: %v, want ErrUnusable", name, err)
		}
	}
}
