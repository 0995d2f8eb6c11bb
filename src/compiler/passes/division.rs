// SPDX-License-Identifier: Apache-2.0
//! Divides signed numbers: BPF has had an instruction for it since Linux 6.6 only, and LLVM refuses it for older ones, the
//! distance of two pointers included. Here each becomes what every kernel has.

use crate::compiler::ir::{Builder, Context, Opcode, Value};

/// Replaces the signed divisions and remainders of `function`.
pub fn lower<'c>(function: Value<'c>, context: &'c Context) {
    for instruction in function.instructions() {
        let is_remainder = match instruction.opcode() {
            Some(Opcode::LLVMSDiv) => false,
            Some(Opcode::LLVMSRem) => true,
            _ => continue,
        };
        let Some(bits) = instruction.ty().int_bits().filter(|&bits| bits <= 64) else { continue };
        let (Some(left), Some(right)) = (instruction.operand(0), instruction.operand(1)) else { continue };
        let builder = Builder::before(context, instruction);
        let exact = right.as_constant().filter(|&by| by != 0 && !is_remainder && instruction.is_exact());
        let value = match exact {
            Some(by) => divide_exactly(&builder, left, (by << (64 - bits)) as i64 >> (64 - bits)),
            None => divide(&builder, left, right, u64::from(bits) - 1, is_remainder),
        };
        instruction.replace_uses_with(value);
        instruction.erase();
    }
}

/// A division that leaves no remainder: a shift, and a product with the inverse of the odd factor.
fn divide_exactly<'c>(builder: &Builder<'c>, value: Value<'c>, by: i64) -> Value<'c> {
    let twos = by.trailing_zeros();
    let shifted = builder.shift_right_signed(value, twos.into());
    builder.multiply(shifted, value.ty().constant(inverse((by >> twos) as u64)))
}

/// The number that an odd number times gives 1, modulo 2^64: each step of Newton's doubles the bits that are right.
fn inverse(odd: u64) -> u64 {
    (0..6).fold(odd, |x, _| x.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(x))))
}

/// Divides the magnitudes; a quotient has the product of the signs, a remainder the sign of what was divided. By zero it is
/// what BPF gives for unsigned numbers: 0, and the number itself.
fn divide<'c>(builder: &Builder<'c>, left: Value<'c>, right: Value<'c>, sign: u64, is_remainder: bool) -> Value<'c> {
    let (left_sign, right_sign) = (builder.shift_right_signed(left, sign), builder.shift_right_signed(right, sign));
    // Of a number and its sign (0 or -1): the number or its opposite.
    let signed = |value, sign| builder.subtract(builder.xor(value, sign), sign);
    let (left, right) = (signed(left, left_sign), signed(right, right_sign));
    if is_remainder {
        return signed(builder.remainder(left, right), left_sign);
    }
    signed(builder.divide(left, right), builder.xor(left_sign, right_sign))
}

#[cfg(test)]
mod tests {
    use super::inverse;

    #[test]
    fn an_odd_number_times_its_inverse_is_one() {
        for odd in [1, 3, 13, 1663, u64::MAX, 0x1234_5679] {
            assert_eq!(odd.wrapping_mul(inverse(odd)), 1, "{odd}");
        }
    }
}
