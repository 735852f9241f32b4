-- DropIndex
DROP INDEX "registry_logins_teamId_host_key";

-- AlterTable
ALTER TABLE "apps" ADD COLUMN     "followLookAt" TIMESTAMP(3),
ADD COLUMN     "followProblem" TEXT,
ADD COLUMN     "followedPushedAt" TIMESTAMP(3),
ADD COLUMN     "followedTag" TEXT;

-- AlterTable
ALTER TABLE "registry_logins" ADD COLUMN     "prefix" TEXT NOT NULL DEFAULT '';

-- CreateIndex
CREATE UNIQUE INDEX "registry_logins_teamId_host_prefix_key" ON "registry_logins"("teamId", "host", "prefix");
