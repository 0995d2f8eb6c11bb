/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole of clang that bpflua sees: virtual files in, an LLVM module and structured diagnostics out.
 * C types only; nothing is thrown across; no flag is chosen here; nothing handed to a callback outlives the call.
 */
#ifndef BPFLUA_SHIM_H
#define BPFLUA_SHIM_H

#include <stddef.h>
#include <stdint.h>

#include <llvm-c/Types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A file of the virtual file system; `path` is absolute or relative to the working directory. */
typedef struct {
	const char *path;
	const char *data;
	size_t len;
} cc_file;

/* Severities of cc_diag. */
enum { CC_NOTE = 0, CC_REMARK = 1, CC_WARNING = 2, CC_ERROR = 3, CC_FATAL = 4 };

/*
 * One diagnostic. `line` and `col` count from 1 and are 0 when clang knows no place. `fixit` is the replacement text
 * that clang proposes at that place, or NULL.
 */
typedef struct {
	int severity;
	const char *path;
	uint32_t line;
	uint32_t col;
	const char *message;
	const char *fixit;
} cc_diag;

typedef struct {
	void *ctx;
	void (*diag)(void *ctx, const cc_diag *diag);
} cc_sink;

/* What cc_compile returns. */
enum { CC_OK = 0, CC_FAILED = 1 };

/*
 * Runs clang's front end with the cc1 arguments `args` (the last names the main file). The real file system lies
 * below the virtual one. On CC_OK, `*module` is a new module in `context`, owned by the caller.
 */
int cc_compile(const cc_file *files, size_t n_files, const char *const *args, size_t n_args, LLVMContextRef context,
	       const cc_sink *sink, LLVMModuleRef *module);

/*
 * Runs clang's preprocessor alone over the same. On CC_OK, `text` was called once, with the sink's `ctx` and the result,
 * which has line markers.
 */
int cc_preprocess(const cc_file *files, size_t n_files, const char *const *args, size_t n_args, const cc_sink *sink,
		  void (*text)(void *ctx, const char *data, size_t len));

/*
 * What cc_complete finds: once, where a dot or an arrow stands before the place, the type in front of it; and the words
 * that may stand there. `note` is a word's type and what it takes; the less the `priority`, the likelier it is.
 */
typedef struct {
	void *ctx;
	void (*base)(void *ctx, const char *type);
	void (*candidate)(void *ctx, const char *text, const char *note, uint32_t priority);
} cc_completions;

/* Completes at a place in the first file, where a word begins. Both numbers count from 1. */
int cc_complete(const cc_file *files, size_t n_files, const char *const *args, size_t n_args, uint32_t line,
		uint32_t col, const cc_completions *sink);

/* Clones a function with its debug information inside its module (the C API of LLVM has no such call). */
LLVMValueRef cc_clone_function(LLVMValueRef function);

/* The version clang calls itself, such as "19.1.7". */
const char *cc_version(void);

#ifdef __cplusplus
}
#endif
#endif
