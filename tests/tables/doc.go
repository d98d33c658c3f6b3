// Package tables compares the tables of a document with the code that they
// describe. Tests use it that keep lists of an API complete:
//
//	problems, err := tables.Check(markdown, tables.Code{Packages: ..., Tests: ...})
//
// A column whose heading is the name of a package holds names of that package
// in backticks: Name, or Type.Member. A bare name stands for the package's own
// and for every method of this name, so that a method which many types have
// takes one row. The column "test" holds names of tests.
//
// What is checked:
//
//	T1  Every exported function, method, type, constant and variable of a
//	    package is in its column, unless it is excused.
//	T2  Every name of such a column exists, and what is excused too.
//	T3  Every row of a table with a column "test" names one, unless it says
//	    "not there"; and every test that is named exists.
//	T4  Each name of a row occurs in the code of one of its tests: in the test's
//	    function, or in what it names of the test files of its directory, in
//	    turn. Names are compared as words: Get of one type passes for Get of
//	    another.
package tables
