package rowsum

import "testing"

type row struct{ key, value string }

func sumOf(rows ...row) *Sum {
	s := New()
	for _, r := range rows {
		s.Add([]byte(r.key), []byte(r.value))
	}
	return s
}

func TestSumTellsRowsApartWhoseBytesRunTogether(t *testing.T) {
	states := [][]row{
		{}, {{"", ""}}, {{"ab", "c"}}, {{"a", "bc"}}, {{"a", "b"}, {"c", ""}}, {{"a", "b"}, {"c", "d"}}, {{"c", "d"}, {"a", "b"}},
	}
	seen := map[string][]row{}
	for _, rows := range states {
		sum := sumOf(rows...).String()
		if other, ok := seen[sum]; ok {
			t.Errorf("%v and %v have the same sum", rows, other)
		}
		seen[sum] = rows
		if again := sumOf(rows...).String(); again != sum {
			t.Errorf("%v has two sums, %s and %s", rows, sum, again)
		}
	}
}

func TestSumCountsRowsAndBytes(t *testing.T) {
	if s := sumOf(row{"ab", "c"}, row{"d", ""}); s.Rows() != 2 || s.Bytes() != 4 {
		t.Errorf("%d rows of %d bytes, want 2 of 4", s.Rows(), s.Bytes())
	}
}
