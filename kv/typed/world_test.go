package typed_test

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"testing"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/typed"
)

// place is the composite key of the tests.
type place struct {
	Country string
	Number  int16
}

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.Country, b.Country), cmp.Compare(a.Number, b.Number))
}

func placeKey() typed.KeyCodec[place] {
	return typed.StructKey(
		typed.Field(typed.StringKey[string](), func(p *place) *string { return &p.Country }),
		typed.Field(typed.IntKey[int16](), func(p *place) *int16 { return &p.Number }),
	)
}

// town is the value of the tests.
type town struct {
	Mayor string
	Code  int
	Tags  []string
}

// towns is a map with an index of every kind.
type towns struct {
	rows    *typed.Map[place, town]
	byMayor *typed.Index[string, place, town]
	byCode  *typed.Index[int, place, town]
	byTag   *typed.Index[string, place, town]
}

func newTowns() *towns {
	m := typed.NewMap(subspace.Sub("towns"), placeKey(), typed.JSON[town]())
	return &towns{
		rows:    m,
		byMayor: typed.NewIndex(m, subspace.Sub("by mayor"), typed.StringKey[string](), func(_ place, t town) string { return t.Mayor }),
		byCode: typed.NewUniqueMultiIndex(m, subspace.Sub("by code"), typed.IntKey[int](), func(_ place, t town) iter.Seq[int] {
			return slices.Values([]int{t.Code}[:min(t.Code, 1)]) // those without a code are not indexed
		}),
		byTag: typed.NewMultiIndex(m, subspace.Sub("by tag"), typed.StringKey[string](), func(_ place, t town) iter.Seq[string] { return slices.Values(t.Tags) }),
	}
}

func openModel(t testing.TB) (*kv.Database, *model.Store) {
	store := model.New()
	db := kv.NewDatabase(store)
	t.Cleanup(func() { db.Close() })
	return db, store
}

// write runs f in a transaction and returns its error.
func write(db *kv.Database, f func(tx *kv.Transaction) error) error {
	_, err := kv.Transact(context.Background(), db, func(tx *kv.Transaction) (struct{}, error) { return struct{}{}, f(tx) })
	return err
}

// must fails the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// collect returns all of an iteration.
func collect[T any](all iter.Seq2[T, error]) (out []T, err error) {
	for v, err := range all {
		if err != nil {
			return out, err
		}
		out = append(out, v)
	}
	return out, nil
}
