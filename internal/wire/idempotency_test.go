package wire

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func testID(fill byte) []byte { return bytes.Repeat([]byte{fill}, MinIdempotencyIDBytes) }

func TestEveryIDOfARowIsFoundAndNoOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfNDistinct(rapid.SliceOfN(rapid.Byte(), MinIdempotencyIDBytes, MaxIdempotencyIDBytes), 1, 20,
			func(id []byte) string { return string(id) }).Draw(t, "ids")
		stored := rapid.IntRange(0, len(ids)).Draw(t, "stored")
		value := AppendIdempotencyID(nil, testID(0xee), 9)
		places := make(map[string]uint16)
		for _, id := range ids[:stored] {
			places[string(id)] = rapid.Uint16().Draw(t, "place")
			value = AppendIdempotencyID(value, id, places[string(id)])
		}
		for _, id := range ids {
			place, found, err := FindIdempotencyID(value, id)
			want, there := places[string(id)]
			if bytes.Equal(id, testID(0xee)) {
				continue
			}
			if err != nil || found != there || place != want {
				t.Fatalf("id %x: %d, %v, %v; want %d, %v", id, place, found, err, want, there)
			}
		}
	})
}

func TestRowsAreInTheOrderOfTheirVersions(t *testing.T) {
	for _, c := range []struct {
		version Version
		inside  bool
	}{{1, false}, {255, false}, {256, true}, {1 << 40, true}, {1<<40 + 1, false}} {
		key := IdempotencyRowKey(MakeStamp(c.version, 0xffff))
		if got := IdempotencyRows(256, 1<<40).Contains(key); got != c.inside {
			t.Errorf("version %d inside: %v", c.version, got)
		}
		if got, ok := IdempotencyRowVersion(key); got != c.version || !ok {
			t.Errorf("row of version %d says %d, %v", c.version, got, ok)
		}
	}
	for _, key := range []string{"", IdempotencyRowPrefix, IdempotencyRowPrefix + "123456789", IdempotencyExpiredKey, "0123456789012345678"} {
		if v, ok := IdempotencyRowVersion([]byte(key)); ok {
			t.Errorf("key %q passes for the row of version %d", key, v)
		}
	}
	all := IdempotencyRows(0, MaxVersion-1)
	if all.Contains([]byte(IdempotencyExpiredKey)) || all.Overlaps(IdempotencyConflict(testID(1))) {
		t.Error("the rows overlap the other keys")
	}
}

func TestDamagedRowsAreNamed(t *testing.T) {
	whole := AppendIdempotencyID(nil, testID(1), 7)
	for name, c := range map[string]struct {
		value []byte
		want  error
	}{
		"empty":        {nil, ErrFileCorrupt},
		"cut short":    {whole[:len(whole)-1], ErrFileCorrupt},
		"newer format": {append([]byte{idempotencyFormat + 1}, whole[1:]...), ErrNewerFormat},
	} {
		if _, found, err := FindIdempotencyID(c.value, testID(2)); found || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
	if _, err := DecodeIdempotencyVersion([]byte("1234567")); !errors.Is(err, ErrFileCorrupt) {
		t.Errorf("version of seven bytes: %v", err)
	}
	for _, value := range [][]byte{nil, EncodeIdempotencyVersion(0), EncodeIdempotencyVersion(1 << 50)} {
		if v, err := DecodeIdempotencyVersion(value); err != nil || len(value) > 0 && !bytes.Equal(EncodeIdempotencyVersion(v), value) {
			t.Errorf("version %x: %d, %v", value, v, err)
		}
	}
}

// withID gives r the id and its conflict ranges.
func withID(r CommitRequest, id []byte) *CommitRequest {
	c := IdempotencyConflict(id)
	r.IdempotencyID = id
	r.ReadConflicts, r.WriteConflicts = append(r.ReadConflicts, c), append(r.WriteConflicts, c)
	return &r
}

func TestARequestWithAnIDNeedsTheConflictRangesOfTheID(t *testing.T) {
	plain := CommitRequest{
		Mutations:      AppendMutation(nil, Mutation{SetValue, []byte("k"), []byte("v")}),
		ReadConflicts:  []KeyRange{SingleKey([]byte("r"))},
		WriteConflicts: []KeyRange{SingleKey([]byte("k"))},
	}
	if whole := withID(plain, testID(1)); whole.Validate() != nil || whole.Bytes() != plain.Bytes() {
		t.Errorf("%v, %d bytes with the id and %d without", whole.Validate(), whole.Bytes(), plain.Bytes())
	}
	without := func(change func(*CommitRequest)) *CommitRequest { r := withID(plain, testID(1)); change(r); return r }
	for name, c := range map[string]struct {
		request *CommitRequest
		want    error
	}{
		"short id":          {withID(plain, testID(1)[1:]), ErrInvalidOptionValue},
		"long id":           {withID(plain, bytes.Repeat([]byte{1}, MaxIdempotencyIDBytes+1)), ErrInvalidOptionValue},
		"another id":        {without(func(r *CommitRequest) { r.IdempotencyID = testID(2) }), ErrClientInvalidOperation},
		"no read conflict":  {without(func(r *CommitRequest) { r.ReadConflicts = plain.ReadConflicts }), ErrClientInvalidOperation},
		"no write conflict": {without(func(r *CommitRequest) { r.WriteConflicts = nil }), ErrClientInvalidOperation},
	} {
		if err := c.request.Validate(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzIdempotencyRow(f *testing.F) {
	f.Add(AppendIdempotencyID(AppendIdempotencyID(nil, testID(1), 1), bytes.Repeat([]byte{2}, MaxIdempotencyIDBytes), 2))
	f.Add([]byte{idempotencyFormat})
	f.Add([]byte{idempotencyFormat, 255, 1})
	f.Fuzz(func(t *testing.T, value []byte) {
		if _, found, err := FindIdempotencyID(value, testID(1)); found && (err != nil || !bytes.Contains(value, testID(1))) {
			t.Fatalf("%x holds no such id, or %v", value, err)
		}
	})
}
