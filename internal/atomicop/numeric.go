package atomicop

// The functions of this file read both values as little-endian unsigned
// integers of the operand's length: a longer old value loses its high bytes, a
// shorter one is extended with zeros.

// add is the sum modulo 256^len(operand).
func add(old, operand []byte) []byte {
	if len(old) == 0 || len(operand) == 0 {
		return operand
	}
	sum := make([]byte, len(operand))
	carry := uint(0)
	for i, b := range operand {
		carry += uint(b)
		if i < len(old) {
			carry += uint(old[i])
		}
		sum[i] = byte(carry)
		carry >>= 8
	}
	return sum
}

// bitAnd takes the operand for an absent key; a present but shorter value
// counts as zeros beyond its end.
func bitAnd(old []byte, oldPresent bool, operand []byte) []byte {
	if !oldPresent || len(operand) == 0 {
		return operand
	}
	result := make([]byte, len(operand))
	for i := range min(len(old), len(operand)) {
		result[i] = old[i] & operand[i]
	}
	return result
}

// bitOr counts an absent key as zeros.
func bitOr(old, operand []byte) []byte {
	if len(old) == 0 || len(operand) == 0 {
		return operand
	}
	result := append([]byte(nil), operand...)
	for i := range min(len(old), len(operand)) {
		result[i] |= old[i]
	}
	return result
}

// bitXor counts an absent key as zeros.
func bitXor(old, operand []byte) []byte {
	if len(old) == 0 || len(operand) == 0 {
		return operand
	}
	result := append([]byte(nil), operand...)
	for i := range min(len(old), len(operand)) {
		result[i] ^= old[i]
	}
	return result
}

// numericMax counts an absent key as zero.
func numericMax(old, operand []byte) []byte {
	if compareAtOperandLength(old, operand) <= 0 {
		return operand
	}
	return resize(old, len(operand))
}

// numericMin takes the operand for an absent key. A present but empty value is
// zero.
func numericMin(old []byte, oldPresent bool, operand []byte) []byte {
	if !oldPresent || compareAtOperandLength(old, operand) >= 0 {
		return operand
	}
	return resize(old, len(operand))
}

// compareAtOperandLength compares old, cut or extended to the operand's
// length, with the operand.
func compareAtOperandLength(old, operand []byte) int {
	for i := len(operand) - 1; i >= 0; i-- {
		b := byte(0)
		if i < len(old) {
			b = old[i]
		}
		if b != operand[i] {
			return int(b) - int(operand[i])
		}
	}
	return 0
}

// resize cuts value or extends it with zeros to size bytes.
func resize(value []byte, size int) []byte {
	if len(value) >= size {
		return value[:size:size]
	}
	result := make([]byte, size)
	copy(result, value)
	return result
}
