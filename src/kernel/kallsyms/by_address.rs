// SPDX-License-Identifier: Apache-2.0
//! Finding the symbol that an address lies in: symbol numbers in the order of their addresses, four bytes a symbol.

/// Where kernels live on 64-bit machines. What is below are per-processor offsets and constants, no places.
const FIRST_KERNEL_ADDRESS: u64 = 1 << 63;

/// Symbol numbers in the order of their addresses.
pub(super) struct AddressIndex {
    numbers: Box<[u32]>,
}

impl AddressIndex {
    /// Indexes symbols `0..count`. Those of one address stay in their order.
    pub(super) fn build(count: usize, address_of: impl Fn(usize) -> u64) -> Self {
        let mut numbers: Vec<u32> = (0..count)
            .filter(|&number| may_be_kernel(address_of(number)))
            .filter_map(|number| u32::try_from(number).ok())
            .collect();
        // The file is almost in this order already.
        numbers.sort_by_key(|&number| address_of(number as usize));
        AddressIndex { numbers: numbers.into_boxed_slice() }
    }

    /// The symbols that start at the greatest address up to this one, and the symbol that follows them.
    pub(super) fn around(&self, address: u64, address_of: impl Fn(usize) -> u64) -> Option<Around<'_>> {
        if !may_be_kernel(address) {
            return None;
        }
        let end = self.numbers.partition_point(|&number| address_of(number as usize) <= address);
        let start_address = address_of(*self.numbers.get(end.checked_sub(1)?)? as usize);
        let start = self.numbers[..end].partition_point(|&number| address_of(number as usize) < start_address);
        let next = self.numbers.get(end).map(|&number| number as usize);
        Some(Around { here: self.numbers.get(start..end)?, next })
    }
}

/// The symbols around an address.
pub(super) struct Around<'a> {
    /// The numbers of the symbols that may hold the address: all of one start, at least one.
    pub here: &'a [u32],
    /// The number of the symbol behind them.
    pub next: Option<usize>,
}

/// Whether an address can be one of the kernel's.
pub(super) fn may_be_kernel(address: u64) -> bool {
    address >= FIRST_KERNEL_ADDRESS
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: u64 = 0xffff_ffff_8100_0000;

    fn found(addresses: &[u64], address: u64) -> Option<(Vec<u32>, Option<usize>)> {
        let index = AddressIndex::build(addresses.len(), |number| addresses[number]);
        let around = index.around(address, |number| addresses[number])?;
        Some((around.here.to_vec(), around.next))
    }

    #[test]
    fn the_greatest_start_up_to_the_address() {
        let addresses = [BASE + 0x40, BASE, BASE + 0x40, BASE + 0x80];
        assert_eq!(found(&addresses, BASE), Some((vec![1], Some(0))));
        assert_eq!(found(&addresses, BASE + 0x3f), Some((vec![1], Some(0))));
        assert_eq!(found(&addresses, BASE + 0x40), Some((vec![0, 2], Some(3))));
        assert_eq!(found(&addresses, u64::MAX), Some((vec![3], None)));
        assert_eq!(found(&addresses, BASE - 1), None);
        assert_eq!(found(&[], BASE), None);
    }

    #[test]
    fn per_processor_offsets_are_no_places() {
        let addresses = [0, 0x1000, BASE];
        assert_eq!(found(&addresses, 0x1000), None);
        assert_eq!(found(&addresses, BASE), Some((vec![2], None)));
    }
}
