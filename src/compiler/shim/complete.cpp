/* SPDX-License-Identifier: Apache-2.0 */
/* Code completion: the same front end, stopped at a place in the text. */
#include "shim.h"

#include <memory>
#include <string>

#include <clang/AST/PrettyPrinter.h>
#include <clang/Basic/Diagnostic.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/CompilerInvocation.h>
#include <clang/Frontend/FrontendActions.h>
#include <clang/Sema/CodeCompleteConsumer.h>
#include <clang/Sema/Sema.h>

#include "files.h"

namespace {

clang::CodeCompleteOptions options()
{
	clang::CodeCompleteOptions wanted;
	wanted.IncludeMacros = 1;
	wanted.IncludeGlobals = 1;
	return wanted;
}

/* Hands over each candidate, and the type of what stands before a dot or an arrow. */
class Collector : public clang::CodeCompleteConsumer {
public:
	explicit Collector(const cc_completions &sink)
		: CodeCompleteConsumer(options()), sink(sink),
		  info(std::make_shared<clang::GlobalCodeCompletionAllocator>())
	{
	}

	void ProcessCodeCompleteResults(clang::Sema &sema, clang::CodeCompletionContext context,
					clang::CodeCompletionResult *results, unsigned count) override
	{
		clang::QualType base = context.getBaseType();
		if (!base.isNull()) {
			if (const auto *pointer = base->getAs<clang::PointerType>())
				base = pointer->getPointeeType();
			sink.base(sink.ctx, base.getUnqualifiedType().getAsString(sema.getPrintingPolicy()).c_str());
		}
		for (unsigned i = 0; i < count; i++)
			candidate(*results[i].CreateCodeCompletionString(sema, context, getAllocator(), info, false),
				  results[i].Priority);
	}

	clang::CodeCompletionAllocator &getAllocator() override
	{
		return info.getAllocator();
	}

	clang::CodeCompletionTUInfo &getCodeCompletionTUInfo() override
	{
		return info;
	}

private:
	void candidate(const clang::CodeCompletionString &string, unsigned priority)
	{
		std::string note;
		for (const auto &chunk : string) {
			if (chunk.Kind == clang::CodeCompletionString::CK_ResultType)
				note = std::string(chunk.Text) + " " + note;
			else if (chunk.Kind == clang::CodeCompletionString::CK_Optional)
				continue;
			else if (chunk.Text)
				note += chunk.Text;
		}
		sink.candidate(sink.ctx, string.getTypedText(), note.c_str(), priority);
	}

	const cc_completions &sink;
	clang::CodeCompletionTUInfo info;
};

} // namespace

extern "C" int cc_complete(const cc_file *files, size_t n_files, const char *const *args, size_t n_args, uint32_t line,
			   uint32_t col, const cc_completions *sink)
{
	/* A text that is being typed is wrong in many ways, of which nobody wants to hear. */
	clang::IgnoringDiagConsumer silent;
	clang::CompilerInstance compiler;
	compiler.createDiagnostics(&silent, /*ShouldOwnClient=*/false);
	if (!clang::CompilerInvocation::CreateFromArgs(compiler.getInvocation(), llvm::ArrayRef(args, n_args),
						       compiler.getDiagnostics()))
		return CC_FAILED;
	clang::ParsedSourceLocation &place = compiler.getFrontendOpts().CodeCompletionAt;
	place.FileName = files[0].path;
	place.Line = line;
	place.Column = col;
	compiler.createFileManager(file_system(files, n_files));
	compiler.setCodeCompletionConsumer(new Collector(*sink));
	clang::SyntaxOnlyAction action;
	compiler.ExecuteAction(action);
	return CC_OK;
}
