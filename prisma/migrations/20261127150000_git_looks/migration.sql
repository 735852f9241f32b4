-- AlterTable
ALTER TABLE "builds" ADD COLUMN "statusTold" TEXT;

-- AlterTable
ALTER TABLE "git_sources" ADD COLUMN "autoDeploy" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN "forge" TEXT,
ADD COLUMN "headSha" TEXT,
ADD COLUMN "hookAt" TIMESTAMP(3),
ADD COLUMN "hookId" TEXT,
ADD COLUMN "lookAt" TIMESTAMP(3),
ADD COLUMN "lookFailures" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN "lookProblem" TEXT,
ADD COLUMN "lookResult" TEXT,
ADD COLUMN "lookedAt" TIMESTAMP(3),
ADD COLUMN "pollSeconds" INTEGER,
ADD COLUMN "pushedAt" TIMESTAMP(3),
ADD COLUMN "sealedHookSecret" TEXT,
ADD COLUMN "watchPaths" TEXT[];

-- CreateIndex
CREATE UNIQUE INDEX "git_sources_hookId_key" ON "git_sources"("hookId");

-- CreateIndex
CREATE INDEX "git_sources_lookAt_idx" ON "git_sources"("lookAt");
