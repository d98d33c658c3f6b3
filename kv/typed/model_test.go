package typed_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
	"github.com/plinthdb/plinth/kv/typed"
)

func drawPlace(t *rapid.T) place {
	return place{
		Country: rapid.SampledFrom([]string{"", "a", "a\x00", "a\x00b", "b"}).Draw(t, "country"),
		Number:  rapid.SampledFrom([]int16{-256, -1, 0, 1, 255, 256}).Draw(t, "number"),
	}
}

func drawTown(t *rapid.T) town {
	return town{
		Mayor: rapid.SampledFrom([]string{"", "Ada", "Bo"}).Draw(t, "mayor"),
		Code:  rapid.IntRange(0, 5).Draw(t, "code"),
		Tags:  rapid.SliceOfN(rapid.SampledFrom([]string{"sea", "hill", "fog"}), 0, 3).Draw(t, "tags"),
	}
}

// drawSpan gives a span and the function that says what lies in it.
func drawSpan(t *rapid.T) (typed.Span[place], func(place) bool) {
	span, holds := typed.All[place](), func(place) bool { return true }
	narrow := func(next func(place) bool) {
		before := holds
		holds = func(p place) bool { return before(p) && next(p) }
	}
	at := drawPlace(t)
	switch rapid.SampledFrom([]string{"all", "prefix", "only"}).Draw(t, "base") {
	case "prefix":
		span = typed.Prefix(at, 1)
		narrow(func(p place) bool { return p.Country == at.Country })
	case "only":
		span = typed.Only(at)
		narrow(func(p place) bool { return p == at })
	}
	lower, upper := drawPlace(t), drawPlace(t)
	switch rapid.SampledFrom([]string{"", "from", "after"}).Draw(t, "lower") {
	case "from":
		span = span.From(lower)
		narrow(func(p place) bool { return comparePlaces(p, lower) >= 0 })
	case "after":
		span = span.After(lower)
		narrow(func(p place) bool { return comparePlaces(p, lower) > 0 })
	}
	switch rapid.SampledFrom([]string{"", "to", "through"}).Draw(t, "upper") {
	case "to":
		span = span.To(upper)
		narrow(func(p place) bool { return comparePlaces(p, upper) < 0 })
	case "through":
		span = span.Through(upper)
		narrow(func(p place) bool { return comparePlaces(p, upper) <= 0 })
	}
	return span, holds
}

type townRow = typed.Row[place, town]

// plainRows returns the rows of a plain map for which holds is true, in the
// order of their keys.
func plainRows(plain map[place]town, holds func(place) bool) (rows []townRow) {
	for _, key := range slices.SortedFunc(maps.Keys(plain), comparePlaces) {
		if holds(key) {
			rows = append(rows, townRow{Key: key, Value: plain[key]})
		}
	}
	return rows
}

// TestAMapWithIndexesBehavesLikeAPlainMap checks D1 and D3 to D6: random
// transactions on a map with three indexes and on a plain map.
func TestAMapWithIndexesBehavesLikeAPlainMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := model.New()
		store.MaxRows = rapid.IntRange(0, 3).Draw(t, "rows of a reply")
		db := kv.NewDatabase(store)
		defer db.Close()
		all := newTowns()
		plain := map[place]town{}
		for range rapid.IntRange(1, 6).Draw(t, "transactions") {
			tx := db.Begin(context.Background())
			next := maps.Clone(plain)
			for range rapid.IntRange(0, 5).Draw(t, "writes") {
				randomWrite(t, all, tx, next)
			}
			checkTowns(t, all, tx, next)
			if rapid.Bool().Draw(t, "commit") {
				if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
				plain = next
			}
			tx.Cancel()
		}
		tx := db.Begin(context.Background())
		defer tx.Cancel()
		checkTowns(t, all, tx.Snapshot(), plain)
	})
}

// randomWrite changes the map and the plain map alike.
func randomWrite(t *rapid.T, all *towns, tx *kv.Transaction, plain map[place]town) {
	key, value := drawPlace(t), drawTown(t)
	taken := func(value town) bool {
		for other, town := range plain {
			if other != key && value.Code > 0 && town.Code == value.Code {
				return true
			}
		}
		return false
	}
	var err error
	refused := errors.New("refused")
	kind := rapid.SampledFrom([]string{"set", "update", "refuse", "delete", "delete range"}).Draw(t, "write")
	switch kind {
	case "set":
		err = all.rows.Set(tx, key, value)
	case "update":
		value, _ = plain[key], "" // the mayor of what is there changes
		value.Mayor, value.Tags = "Cy", append(slices.Clone(value.Tags), "new")
		err = all.rows.Update(tx, key, func(old town, _ bool) (town, error) {
			for i := range old.Tags {
				old.Tags[i] = "spoilt" // what the function was given is its own
			}
			return value, nil
		})
	case "refuse":
		if err := all.rows.Update(tx, key, func(town, bool) (town, error) { return value, refused }); !errors.Is(err, refused) {
			t.Fatalf("refused update: %v", err)
		}
		return
	case "delete":
		err = all.rows.Delete(tx, key)
		delete(plain, key)
	case "delete range":
		span, holds := drawSpan(t)
		err = all.rows.DeleteRange(tx, span)
		maps.DeleteFunc(plain, func(key place, _ town) bool { return holds(key) })
	}
	if kind == "set" || kind == "update" {
		var duplicate *typed.DuplicateError
		if taken(value) != errors.As(err, &duplicate) {
			t.Fatalf("%s of %v for %v in %v: %v", kind, value, key, plain, err)
		}
		if taken(value) {
			return
		}
		plain[key] = value
	}
	if err != nil {
		t.Fatal(err)
	}
}

// checkTowns compares everything that can be read with a plain map.
func checkTowns(t *rapid.T, all *towns, r kv.Reader, plain map[place]town) {
	span, holds := drawSpan(t)
	want := plainRows(plain, holds)
	rows, err := collect(all.rows.Range(r, span, kv.RangeOptions{}))
	same(t, "range", rows, err, want)
	reverse := rapid.Bool().Draw(t, "reverse")
	if reverse {
		slices.Reverse(want)
	}
	rows, err = pages(t, func(o typed.PageOptions) (typed.Page[place, town], error) {
		o.Reverse = reverse
		return all.rows.Page(r, span, o)
	})
	same(t, "pages", rows, err, want)

	key := drawPlace(t)
	value, found, err := all.rows.Get(r, key).Wait()
	wanted, there := plain[key]
	if has, hasErr := all.rows.Has(r, key); err != nil || hasErr != nil || found != there || has != there || fmt.Sprint(value) != fmt.Sprint(wanted) {
		t.Fatalf("get %v: %v %v %v, has %v %v", key, value, found, err, has, hasErr)
	}
	checkIndexes(t, all, r, plain)
}

func checkIndexes(t *rapid.T, all *towns, r kv.Reader, plain map[place]town) {
	everything := plainRows(plain, func(place) bool { return true })
	var byMayor, byCode, byTag []townRow
	for _, row := range everything {
		if row.Value.Mayor == "Ada" {
			byMayor = append(byMayor, row)
		}
		if row.Value.Code >= 2 {
			byCode = append(byCode, row)
		}
		if slices.Contains(row.Value.Tags, "hill") {
			byTag = append(byTag, row)
		}
	}
	slices.SortFunc(byCode, func(a, b townRow) int { return a.Value.Code - b.Value.Code })
	rows, err := collect(all.byMayor.Rows(r, typed.Only("Ada"), kv.RangeOptions{}))
	same(t, "by mayor", rows, err, byMayor)
	rows, err = collect(all.byCode.Rows(r, typed.From(2), kv.RangeOptions{}))
	same(t, "by code", rows, err, byCode)
	rows, err = pages(t, func(o typed.PageOptions) (typed.Page[place, town], error) {
		return all.byTag.Page(r, typed.Only("hill"), o)
	})
	same(t, "by tag", rows, err, byTag)

	entries := 0
	for e, err := range all.byTag.Range(r, typed.All[string](), kv.RangeOptions{}) {
		if err != nil || !slices.Contains(plain[e.Key].Tags, e.Index) {
			t.Fatalf("entry %v of %v: %v", e, plain, err)
		}
		entries++
	}
	for _, town := range plain {
		entries -= len(slices.Compact(slices.Sorted(slices.Values(town.Tags))))
	}
	if entries != 0 {
		t.Fatalf("the index of tags has %d entries too many", entries)
	}
}

// pages reads page after page.
func pages(t *rapid.T, read func(typed.PageOptions) (typed.Page[place, town], error)) (rows []townRow, err error) {
	limit := rapid.IntRange(1, 4).Draw(t, "page")
	for after := ""; ; {
		page, err := read(typed.PageOptions{Limit: limit, After: after})
		if err != nil {
			return rows, err
		}
		if rows = append(rows, page.Rows...); page.Next == "" {
			return rows, nil
		}
		if len(page.Rows) != limit {
			t.Fatalf("a page of %d rows instead of %d is not the last", len(page.Rows), limit)
		}
		after = page.Next
	}
}

func same(t *rapid.T, what string, got []townRow, err error, want []townRow) {
	t.Helper()
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%s: got %v, error %v, want %v", what, got, err, want)
	}
}
