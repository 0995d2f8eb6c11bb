/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Block devices inside the kernel, and the commands of SCSI. */
#pragma clang system_header

/* A request's flags are bits that the kernel numbers anew from time to time: their places are its enumerators. */
#define REQ_FAILFAST_DEV (1ULL << __REQ_FAILFAST_DEV)
#define REQ_FAILFAST_TRANSPORT (1ULL << __REQ_FAILFAST_TRANSPORT)
#define REQ_FAILFAST_DRIVER (1ULL << __REQ_FAILFAST_DRIVER)
#define REQ_SYNC (1ULL << __REQ_SYNC)
#define REQ_META (1ULL << __REQ_META)
#define REQ_PRIO (1ULL << __REQ_PRIO)
#define REQ_NOMERGE (1ULL << __REQ_NOMERGE)
#define REQ_IDLE (1ULL << __REQ_IDLE)
#define REQ_INTEGRITY (1ULL << __REQ_INTEGRITY)
#define REQ_FUA (1ULL << __REQ_FUA)
#define REQ_PREFLUSH (1ULL << __REQ_PREFLUSH)
#define REQ_RAHEAD (1ULL << __REQ_RAHEAD)
#define REQ_BACKGROUND (1ULL << __REQ_BACKGROUND)
#define REQ_NOWAIT (1ULL << __REQ_NOWAIT)
#define REQ_POLLED (1ULL << __REQ_POLLED)
#define REQ_ALLOC_CACHE (1ULL << __REQ_ALLOC_CACHE)
#define REQ_SWAP (1ULL << __REQ_SWAP)
#define REQ_DRV (1ULL << __REQ_DRV)
#define REQ_FS_PRIVATE (1ULL << __REQ_FS_PRIVATE)
#define REQ_ATOMIC (1ULL << __REQ_ATOMIC)
#define REQ_NOUNMAP (1ULL << __REQ_NOUNMAP)
#define REQ_CGROUP_PUNT (1ULL << __REQ_CGROUP_PUNT)
#define RQF_DONTPREP (1U << __RQF_DONTPREP)
#define RQF_FAILED (1U << __RQF_FAILED)
#define RQF_FLUSH_SEQ (1U << __RQF_FLUSH_SEQ)
#define RQF_HASHED (1U << __RQF_HASHED)
#define RQF_IO_STAT (1U << __RQF_IO_STAT)
#define RQF_MIXED_MERGE (1U << __RQF_MIXED_MERGE)
#define RQF_PM (1U << __RQF_PM)
#define RQF_QUIET (1U << __RQF_QUIET)
#define RQF_RESV (1U << __RQF_RESV)
#define RQF_SCHED_TAGS (1U << __RQF_SCHED_TAGS)
#define RQF_SPECIAL_PAYLOAD (1U << __RQF_SPECIAL_PAYLOAD)
#define RQF_STARTED (1U << __RQF_STARTED)
#define RQF_STATS (1U << __RQF_STATS)
#define RQF_TIMED_OUT (1U << __RQF_TIMED_OUT)
#define RQF_USE_SCHED (1U << __RQF_USE_SCHED)
#define RQF_ZONE_WRITE_PLUGGING (1U << __RQF_ZONE_WRITE_PLUGGING)

#define ATA_16 0x85
#define ATA_12 0xa1
#define BIO_POOL_SIZE 2
#define BIO_MAX_VECS 256U
#define BIO_MAX_SECTORS 0x7fffff
#define BIO_MAX_INLINE_VECS 1024
#define BLK_STS_TRANSPORT 4
#define BLK_STS_TIMEOUT 2
#define BLK_STS_TARGET 5
#define BLK_STS_RESOURCE 9
#define BLK_STS_PROTECTION 8
#define BLK_STS_OK 0
#define BLK_STS_NOTSUPP 1
#define BLK_STS_NOSPC 3
#define BLK_STS_MEDIUM 7
#define BLK_STS_IOERR 10
#define BLK_STS_DM_REQUEUE 11
#define BLK_STS_DEV_RESOURCE 13
#define BLK_STS_AGAIN 12
#define BLK_QC_T_NONE -1U
#define BLK_POLL_ONESHOT (1 << 0)
#define BLK_ALL_ZONES 0xffffffffU
#define IOPRIO_PRIO_MASK 0x1fff
#define IOPRIO_NR_LEVELS 8
#define IOPRIO_NORM 4
#define IOPRIO_CLASS_SHIFT 13
#define IOPRIO_CLASS_MASK 7
#define IOPRIO_BE_NR 8
#define IOPRIO_BE_NORM 4
#define MODE_SENSE_10 0x5a
#define MODE_SENSE 0x1a
#define MODE_SELECT_10 0x55
#define MODE_SELECT 0x15
#define READ_TOC 0x43
#define READ_REVERSE 0x0f
#define READ_POSITION 0x34
#define READ_MEDIA_SERIAL_NUMBER 0xab
#define READ_LONG 0x3e
#define READ_HEADER 0x44
#define READ_FORMAT_CAPACITIES 0x23
#define READ_ELEMENT_STATUS 0xb8
#define READ_DEFECT_DATA 0x37
#define READ_CAPACITY 0x25
#define READ_BUFFER 0x3c
#define READ_BLOCK_LIMITS 0x05
#define READ_ATTRIBUTE 0x8c
#define READ_6 0x08
#define READ_32 0x09
#define READ_16 0x88
#define READ_12 0xa8
#define READ_10 0x28
#define READ 0
#define RELEASE_10 0x57
#define RELEASE 0x17
#define REPORT_LUNS 0xa0
#define REQUEST_SENSE 0x03
#define RESERVE_10 0x56
#define RESERVE 0x16
#define SECURITY_PROTOCOL_OUT 0xb5
#define SECURITY_PROTOCOL_IN 0xa2
#define SEND_DIAGNOSTIC 0x1d
#define SYNCHRONIZE_CACHE_16 0x91
#define SYNCHRONIZE_CACHE 0x35
#define TEST_UNIT_READY 0x00
#define UNMAP 0x42
#define VERIFY_32 0x0a
#define VERIFY_16 0x8f
#define VERIFY_12 0xaf
#define VERIFY 0x2f
#define WRITE_VERIFY_32 0x0c
#define WRITE_VERIFY_16 0x8e
#define WRITE_VERIFY_12 0xae
#define WRITE_VERIFY 0x2e
#define WRITE_SAME_32 0x0d
#define WRITE_SAME_16 0x93
#define WRITE_SAME 0x41
#define WRITE_LONG_2 0xea
#define WRITE_LONG 0x3f
#define WRITE_FILEMARKS 0x10
#define WRITE_BUFFER 0x3b
#define WRITE_ATTRIBUTE 0x8d
#define WRITE_6 0x0a
#define WRITE_32 0x0b
#define WRITE_16 0x8a
#define WRITE_12 0xaa
#define WRITE_10 0x2a
#define WRITE 1
