-- SPDX-License-Identifier: Apache-2.0
BPF.exti(3)
