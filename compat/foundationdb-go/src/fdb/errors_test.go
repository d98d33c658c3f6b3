package fdb_test

import (
	"strings"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

// documented are the numbers of FoundationDB's list of errors, what else it
// retries, and Plinth's own.
var documented = []int{
	0, 1000, 1004, 1007, 1009, 1020, 1021, 1022, 1025, 1031, 1032, 1034, 1036, 1037, 1038, 1039, 1040, 1042, 1051, 1078,
	1079, 1101, 1102, 1213, 1223, 1235, 1242, 1500, 1501, 1502, 1510, 1511, 1512, 1513, 1514, 1515, 1516, 1520, 1522,
	2000, 2002, 2003, 2004, 2005, 2006, 2007, 2008, 2009, 2010, 2011, 2012, 2013, 2014, 2015, 2016, 2017, 2018, 2020,
	2021, 2022, 2023, 2024, 2025, 2026, 2030, 2032, 2041, 2042, 2043, 2100, 2101, 2102, 2103, 2104, 2105, 2106, 2107,
	2108, 2109, 2110, 2111, 2112, 2113, 2114, 2115, 2116, 2117, 2130, 2131, 2132, 2133, 2134, 2135, 2136, 2200, 2201,
	2202, 2203, 2210, 4000, 4100, 9001, 9002, 9003, 9004, 9005, 9006,
}

func TestEveryNumberHasAText(t *testing.T) {
	for _, code := range documented {
		s := fdb.Error{Code: code}.Error()
		if strings.Contains(s, "unknown number") || !strings.HasPrefix(s, "FoundationDB error code ") || len(s) < 40 {
			t.Errorf("%d: %s", code, s)
		}
	}
	mustEqual(t, fdb.Error{Code: 12345}.Error(), "FoundationDB error code 12345 (unknown number)")
}

func TestPrintableKeepsWhatCanBePrinted(t *testing.T) {
	mustEqual(t, fdb.Printable([]byte("a\\ ~\x7f\x00\xff")), `a\\ ~\x7f\x00\xff`)
	mustEqual(t, fdb.Key("k\x01").String(), `k\x01`)
	mustEqual(t, fdb.Printable(nil), "")
}

// Programs assert the type Error and compare its values: what the C client of
// the binding returns is an Error and nothing else.
func TestErrorsCanBeAssertedAndCompared(t *testing.T) {
	db := open(t)
	tr := begin(t, db)
	_, notOpened := fdb.OpenDatabase("plinth-embedded:")
	for err, want := range map[error]fdb.Error{
		notOpened:                   {Code: 2104},
		tr.Options().SetTimeout(-1): {Code: 2006},
		tr.Options().SetTag(string(make([]byte, 17))): {Code: 2110},
		db.Options().SetUseConfigDatabase():           {Code: 2108},
	} {
		number, ok := err.(fdb.Error)
		if !ok || number != want || err != want {
			t.Errorf("%#v is not %#v", err, want)
		}
	}
}

// What a bare Error cannot say is in the log.
func TestTheLogSaysWhyAnOptionIsRefused(t *testing.T) {
	tr := begin(t, open(t))
	lines := logged(func() {
		mustBeBare(t, tr.Options().SetTimeout(-5), 2006)
		mustBeBare(t, tr.Options().SetDebugTransactionIdentifier(""), 2006)
	})
	for _, says := range []string{"level=DEBUG", "option timeout: -5 milliseconds", "code=2006", "has 0 bytes"} {
		if !strings.Contains(lines, says) {
			t.Errorf("the log does not say %q: %s", says, lines)
		}
	}
}
