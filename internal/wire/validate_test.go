package wire

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
)

func TestValidateRefusesWhatWouldEndTheStore(t *testing.T) {
	long := strings.Repeat("k", MaxKeyBytes+1)
	stamped := strings.Repeat("\x00", StampBytes) + "\x00\x00\x00\x00"
	for name, c := range map[string]struct {
		m    Mutation
		want error
	}{
		"plain set":               {Mutation{SetValue, []byte("k"), []byte("v")}, nil},
		"system key":              {Mutation{SetValue, []byte("\xff/k"), nil}, nil},
		"longest key and value":   {Mutation{SetValue, []byte(long[1:]), make([]byte, MaxValueBytes)}, nil},
		"clear to the end":        {Mutation{ClearRange, nil, []byte("\xff\xff")}, nil},
		"clear after longest key": {Mutation{ClearRange, []byte("a"), []byte(long)}, nil},
		"stamped key":             {Mutation{SetVersionstampedKey, []byte(stamped), nil}, nil},
		"key above all":           {Mutation{SetValue, []byte("\xff\xff"), nil}, ErrKeyOutsideLegalRange},
		"clear beyond all":        {Mutation{ClearRange, nil, []byte("\xff\xff\x00")}, ErrKeyOutsideLegalRange},
		"inverted clear":          {Mutation{ClearRange, []byte("b"), []byte("a")}, ErrInvertedRange},
		"long key":                {Mutation{AddValue, []byte(long), nil}, ErrKeyTooLarge},
		"long value":              {Mutation{SetValue, nil, make([]byte, MaxValueBytes+1)}, ErrValueTooLarge},
		"long clear":              {Mutation{ClearRange, []byte("a"), []byte(long + "k")}, ErrKeyTooLarge},
		"stamp without room":      {Mutation{SetVersionstampedValue, []byte("k"), []byte("short")}, ErrClientInvalidOperation},
		"stamp offset too large":  {Mutation{SetVersionstampedKey, []byte(stamped[:StampBytes] + "\x01\x00\x00\x00"), nil}, ErrClientInvalidOperation},
		"stamped system key":      {Mutation{SetVersionstampedKey, []byte("\xff" + stamped), nil}, ErrKeyOutsideLegalRange},
	} {
		req := &CommitRequest{Mutations: AppendMutation(nil, c.m), HasVersionstamps: c.m.Type.IsVersionstamped(), HasSystemKeys: true}
		if err := req.Validate(); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for name, req := range map[string]*CommitRequest{
		"cut short":               {Mutations: []byte{0, 5, 5, 'x'}},
		"unknown type":            {Mutations: []byte{99, 0, 0}},
		"undeclared system key":   {Mutations: AppendMutation(nil, Mutation{SetValue, []byte("\xff/k"), nil})},
		"undeclared system range": {Mutations: AppendMutation(nil, Mutation{ClearRange, nil, []byte("\xff\x00")})},
		"undeclared stamps":       {Mutations: AppendMutation(nil, Mutation{SetVersionstampedKey, []byte(stamped), nil})},
	} {
		if err := req.Validate(); !errors.Is(err, ErrClientInvalidOperation) {
			t.Errorf("%s: %v", name, err)
		}
	}
	huge := &CommitRequest{WriteConflicts: make([]KeyRange, 0, 1100)}
	for range 1100 {
		huge.WriteConflicts = append(huge.WriteConflicts, KeyRange{Begin: []byte(long[1:])})
	}
	if err := huge.Validate(); !errors.Is(err, ErrTransactionTooLarge) {
		t.Errorf("huge conflict ranges: %v", err)
	}
}

func FuzzMutations(f *testing.F) {
	f.Add(AppendMutation(AppendMutation(nil, Mutation{SetValue, []byte("key"), []byte("value")}), Mutation{ClearRange, nil, []byte("\xff")}))
	f.Add([]byte{0, 0x80})
	// Two lengths whose sum is more than a uint64 holds.
	f.Add(append(binary.AppendUvarint([]byte{0, 1}, math.MaxUint64), 'x'))
	f.Add(append(binary.AppendUvarint(binary.AppendUvarint([]byte{0}, math.MaxUint64), 1), 'x'))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		var again []byte
		r := ReadMutations(data)
		for {
			m, ok, err := r.Next()
			if err != nil {
				return
			}
			if !ok {
				break
			}
			again = AppendMutation(again, m)
		}
		// The same list, unless a length was written longer than it need be.
		if len(again) > len(data) {
			t.Fatalf("%d bytes were read, the same mutations encode to %d", len(data), len(again))
		}
	})
}

func FuzzRuns(f *testing.F) {
	f.Add(AppendRun(AppendRun(nil, []Tag{1, 2}, []byte("list")), []Tag{^Tag(0)}, nil))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		runs := ReadRuns(data)
		total := 0
		for {
			_, list, ok, err := runs.Next()
			if err != nil || !ok {
				break
			}
			total += len(list)
		}
		if total > len(data) {
			t.Fatalf("lists of %d bytes in a body of %d", total, len(data))
		}
	})
}
