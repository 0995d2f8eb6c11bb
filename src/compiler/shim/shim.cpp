/* SPDX-License-Identifier: Apache-2.0 */
#include "shim.h"

#include <memory>
#include <string>

#include <clang/Basic/Diagnostic.h>
#include <clang/Basic/SourceManager.h>
#include <clang/Basic/Version.h>
#include <clang/CodeGen/CodeGenAction.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/CompilerInvocation.h>
#include <clang/Frontend/FrontendAction.h>
#include <clang/Frontend/Utils.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Passes/PassPlugin.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include "files.h"

#if LLVM_VERSION_MAJOR < 19
#error "the shim is written for LLVM 19 and newer"
#endif

/*
 * Debian's clang asks for the loop optimiser Polly by this name. BPF programs have no use for it: an empty plugin is
 * answer enough, and saves linking it.
 */
llvm::PassPluginLibraryInfo getPollyPluginInfo();
llvm::PassPluginLibraryInfo getPollyPluginInfo()
{
	return {LLVM_PLUGIN_API_VERSION, "Polly", LLVM_VERSION_STRING, [](llvm::PassBuilder &) {}};
}

namespace {

/* Hands each diagnostic over as data, placed where the user wrote it (a macro's use, not its body). */
class SinkConsumer : public clang::DiagnosticConsumer {
public:
	explicit SinkConsumer(const cc_sink &sink) : sink(sink) {}

	void HandleDiagnostic(clang::DiagnosticsEngine::Level level, const clang::Diagnostic &info) override
	{
		clang::DiagnosticConsumer::HandleDiagnostic(level, info);
		llvm::SmallString<256> message;
		info.FormatDiagnostic(message);

		cc_diag diag = {severity(level), "", 0, 0, message.c_str(), nullptr};
		clang::PresumedLoc place;
		if (info.hasSourceManager() && info.getLocation().isValid()) {
			const clang::SourceManager &sources = info.getSourceManager();
			place = sources.getPresumedLoc(sources.getFileLoc(info.getLocation()));
		}
		if (place.isValid()) {
			diag.path = place.getFilename();
			diag.line = place.getLine();
			diag.col = place.getColumn();
		}
		std::string fixit;
		if (info.getNumFixItHints() == 1) {
			fixit = info.getFixItHint(0).CodeToInsert;
			diag.fixit = fixit.c_str();
		}
		sink.diag(sink.ctx, &diag);
	}

private:
	static int severity(clang::DiagnosticsEngine::Level level)
	{
		switch (level) {
		case clang::DiagnosticsEngine::Fatal:
			return CC_FATAL;
		case clang::DiagnosticsEngine::Error:
			return CC_ERROR;
		case clang::DiagnosticsEngine::Warning:
			return CC_WARNING;
		case clang::DiagnosticsEngine::Remark:
			return CC_REMARK;
		default:
			return CC_NOTE;
		}
	}

	const cc_sink &sink;
};

/* The text as it is behind the preprocessor, with line markers. */
class PreprocessAction : public clang::PreprocessorFrontendAction {
public:
	explicit PreprocessAction(llvm::raw_ostream &out) : out(out) {}

	void ExecuteAction() override
	{
		clang::PreprocessorOutputOptions options;
		options.ShowCPP = 1;
		options.ShowLineMarkers = 1;
		clang::DoPrintPreprocessedInput(getCompilerInstance().getPreprocessor(), &out, options);
	}

private:
	llvm::raw_ostream &out;
};

bool run_frontend(const cc_file *files, size_t n_files, llvm::ArrayRef<const char *> args, const cc_sink &sink,
		  clang::FrontendAction &action)
{
	SinkConsumer consumer(sink);
	clang::CompilerInstance compiler;
	compiler.createDiagnostics(&consumer, /*ShouldOwnClient=*/false);
	if (!clang::CompilerInvocation::CreateFromArgs(compiler.getInvocation(), args, compiler.getDiagnostics()))
		return false;
	/* The options are known only now: the warnings asked for take effect on a second engine. */
	compiler.createDiagnostics(&consumer, /*ShouldOwnClient=*/false);
	compiler.createFileManager(file_system(files, n_files));
	return compiler.ExecuteAction(action);
}

} // namespace

extern "C" int cc_compile(const cc_file *files, size_t n_files, const char *const *args, size_t n_args,
			  LLVMContextRef context, const cc_sink *sink, LLVMModuleRef *module)
{
	clang::EmitLLVMOnlyAction action(llvm::unwrap(context));
	if (!run_frontend(files, n_files, llvm::ArrayRef(args, n_args), *sink, action))
		return CC_FAILED;
	std::unique_ptr<llvm::Module> result = action.takeModule();
	if (!result)
		return CC_FAILED;
	*module = llvm::wrap(result.release());
	return CC_OK;
}

extern "C" int cc_preprocess(const cc_file *files, size_t n_files, const char *const *args, size_t n_args,
			     const cc_sink *sink, void (*text)(void *ctx, const char *data, size_t len))
{
	std::string result;
	llvm::raw_string_ostream out(result);
	PreprocessAction action(out);
	if (!run_frontend(files, n_files, llvm::ArrayRef(args, n_args), *sink, action))
		return CC_FAILED;
	out.flush();
	text(sink->ctx, result.data(), result.size());
	return CC_OK;
}

extern "C" LLVMValueRef cc_clone_function(LLVMValueRef function)
{
	llvm::ValueToValueMapTy map;
	return llvm::wrap(llvm::CloneFunction(llvm::unwrap<llvm::Function>(function), map));
}

extern "C" const char *cc_version(void)
{
	return CLANG_VERSION_STRING;
}
