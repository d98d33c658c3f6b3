package kv_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

func TestLimitsOnTagsAreSetReplacedAndTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _ := open(t)
		expect := func(when, want string) {
			t.Helper()
			got := ""
			for _, l := range must(kv.ThrottledTags(background, db))(t) {
				got += fmt.Sprintf("%s/%d=%v ", l.Tag, l.Priority, l.StartsPerSecond)
			}
			if got != want {
				t.Errorf("%s: %q, want %q", when, got, want)
			}
		}
		throttle := func(tag string, p kv.Priority, rate float64, until time.Time) {
			t.Helper()
			if err := kv.ThrottleTag(background, db, kv.TagThrottle{Tag: tag, Priority: p, StartsPerSecond: rate, Until: until}); err != nil {
				t.Error(err)
			}
		}
		unthrottle := func(want bool, tag string, priorities ...kv.Priority) {
			t.Helper()
			if found := must(kv.UnthrottleTag(background, db, tag, priorities...))(t); found != want {
				t.Errorf("taking away %s %v: %v", tag, priorities, found)
			}
		}
		expect("at first", "")
		throttle("a", kv.PriorityDefault, 5, time.Time{})
		throttle("a", kv.PriorityBatch, 1.5, time.Time{})
		throttle("b", kv.PriorityDefault, 0, time.Now().Add(time.Minute))
		throttle("a", kv.PriorityDefault, 6, time.Time{})
		expect("with three", "a/1=1.5 a/0=6 b/0=0 ")
		unthrottle(false, "c")
		unthrottle(false, "a", kv.PriorityImmediate)
		unthrottle(true, "a", kv.PriorityBatch)
		expect("with two", "a/0=6 b/0=0 ")
		<-time.After(time.Minute)
		expect("after a minute", "a/0=6 ")
		unthrottle(true, "a")
		expect("in the end", "")
		if rows := must(db.Begin(background, kv.WithReadSystemKeys(true)).Range(kv.PrefixRange([]byte("\xff\x02/throttledTags")), kv.RangeOptions{}).Slice())(t); len(rows) != 0 {
			t.Errorf("rows are left: %q", rows)
		}
	})
}

func TestBadLimitsOnTagsAreRefused(t *testing.T) {
	db, _ := open(t)
	for name, c := range map[string]struct {
		limit kv.TagThrottle
		want  error
	}{
		"long tag":         {kv.TagThrottle{Tag: "0123456789abcdefg"}, kv.ErrTagTooLong},
		"negative rate":    {kv.TagThrottle{StartsPerSecond: -1}, kv.ErrInvalidOptionValue},
		"no number":        {kv.TagThrottle{StartsPerSecond: math.NaN()}, kv.ErrInvalidOptionValue},
		"infinite rate":    {kv.TagThrottle{StartsPerSecond: math.Inf(1)}, kv.ErrInvalidOptionValue},
		"unknown priority": {kv.TagThrottle{Priority: kv.PriorityImmediate + 1}, kv.ErrInvalidOptionValue},
	} {
		if err := kv.ThrottleTag(background, db, c.limit); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range 40 {
		if err := kv.ThrottleTag(background, db, kv.TagThrottle{Tag: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	mustBe(t, kv.ThrottleTag(background, db, kv.TagThrottle{Tag: "one more"}), kv.ErrTooManyTagThrottles)
	if err := kv.ThrottleTag(background, db, kv.TagThrottle{Tag: "7", StartsPerSecond: 1}); err != nil {
		t.Errorf("replacing one of forty: %v", err)
	}
}

// Rows that cannot be read limit nothing, and keep nobody from the limits.
func TestRowsThatAreNoLimitsDoNotHinderTheLimits(t *testing.T) {
	db, _ := open(t)
	const nonsense = "\xff\x02/throttledTags/tag/nonsense"
	bad := kv.TagThrottle{Tag: "bad", Priority: kv.PriorityBatch}.Row().Key
	tx := db.Begin(background, kv.WithSystemKeys(true))
	defer tx.Cancel()
	tx.Set([]byte(nonsense), nil)
	tx.Set(bad, []byte("no limit"))
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	good := kv.TagThrottle{Tag: "good", StartsPerSecond: 2}
	if err := kv.ThrottleTag(background, db, good); err != nil {
		t.Error(err)
	}
	if got := must(kv.ThrottledTags(background, db))(t); len(got) != 1 || got[0] != good {
		t.Errorf("limits are %+v, want %+v alone", got, good)
	}
	for _, step := range []struct {
		tag      string
		priority kv.Priority
		want     bool
	}{
		{"bad", kv.PriorityDefault, false},
		{"bad", kv.PriorityBatch, true},
		{"bad", kv.PriorityBatch, false},
		{"good", kv.PriorityImmediate + 1, false},
		{"0123456789abcdefg", kv.PriorityBatch, false},
		{"good", kv.PriorityDefault, true},
	} {
		if found := must(kv.UnthrottleTag(background, db, step.tag, step.priority))(t); found != step.want {
			t.Errorf("taking away %s/%d: %v, want %v", step.tag, step.priority, found, step.want)
		}
	}
	rows := must(db.Begin(background, kv.WithReadSystemKeys(true)).Range(kv.PrefixRange([]byte("\xff\x02/throttledTags")), kv.RangeOptions{}).Slice())(t)
	if len(rows) != 1 || string(rows[0].Key) != nonsense {
		t.Errorf("rows are left: %q", rows)
	}
}

// A blind write needs no version of its own, but the store must have its say on
// when it starts if others may go first.
func TestBlindWritesThatGiveWayAskForTheirStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := &asked{Store: model.New()}
		db := kv.NewDatabase(backend)
		defer db.Close()
		expectStarts(t, db, backend, func(tx *kv.Transaction) error {
			tx.Set([]byte("k"), nil)
			return tx.Commit()
		})
	})
}
