/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual files on top of the real file system. C++, for the files of the shim alone. */
#ifndef BPFLUA_SHIM_FILES_H
#define BPFLUA_SHIM_FILES_H

#include "shim.h"

#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/VirtualFileSystem.h>

inline llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> file_system(const cc_file *files, size_t n_files)
{
	auto virtual_files = llvm::makeIntrusiveRefCnt<llvm::vfs::InMemoryFileSystem>();
	for (size_t i = 0; i < n_files; i++) {
		llvm::StringRef data(files[i].data, files[i].len);
		virtual_files->addFile(files[i].path, 0, llvm::MemoryBuffer::getMemBufferCopy(data, files[i].path));
	}
	auto overlay = llvm::makeIntrusiveRefCnt<llvm::vfs::OverlayFileSystem>(llvm::vfs::getRealFileSystem());
	overlay->pushOverlay(virtual_files);
	return overlay;
}

#endif
