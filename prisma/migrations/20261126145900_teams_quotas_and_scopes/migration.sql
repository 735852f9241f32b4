-- AlterTable
ALTER TABLE "api_tokens" ADD COLUMN     "actions" TEXT[] DEFAULT ARRAY['*']::TEXT[],
ADD COLUMN     "addresses" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "appIds" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "lastUsedAddress" TEXT,
ADD COLUMN     "makerId" TEXT,
ADD COLUMN     "projectIds" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "repositories" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "teams" ADD COLUMN     "imageNamespace" TEXT,
ADD COLUMN     "maxApps" INTEGER,
ADD COLUMN     "maxBuilds" INTEGER,
ADD COLUMN     "maxCpuMillis" INTEGER,
ADD COLUMN     "maxDiskBytes" BIGINT,
ADD COLUMN     "maxMemoryBytes" BIGINT,
ADD COLUMN     "purgeAt" TIMESTAMP(3);

-- CreateTable
CREATE TABLE "team_addresses" (
    "slug" TEXT NOT NULL,
    "teamId" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "team_addresses_pkey" PRIMARY KEY ("slug")
);

-- Teams that are there keep their names: of their images, and as their first address.
UPDATE "teams" SET "imageNamespace" = "slug";
ALTER TABLE "teams" ALTER COLUMN "imageNamespace" SET NOT NULL;
INSERT INTO "team_addresses" ("slug", "teamId", "createdAt") SELECT "slug", "id", "createdAt" FROM "teams";

-- Teams' own tokens so far were made by the operator alone, so their maker stays null.

-- CreateTable
CREATE TABLE "build_places" (
    "id" TEXT NOT NULL,
    "teamId" TEXT NOT NULL,
    "takenAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expiresAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "build_places_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "project_access" (
    "projectId" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "role" "Role",
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "project_access_pkey" PRIMARY KEY ("projectId","userId")
);

-- CreateIndex
CREATE INDEX "team_addresses_teamId_idx" ON "team_addresses"("teamId");

-- CreateIndex
CREATE INDEX "build_places_teamId_idx" ON "build_places"("teamId");

-- CreateIndex
CREATE INDEX "project_access_userId_idx" ON "project_access"("userId");

-- CreateIndex
CREATE INDEX "api_tokens_makerId_idx" ON "api_tokens"("makerId");

-- CreateIndex
CREATE UNIQUE INDEX "teams_imageNamespace_key" ON "teams"("imageNamespace");

-- AddForeignKey
ALTER TABLE "team_addresses" ADD CONSTRAINT "team_addresses_teamId_fkey" FOREIGN KEY ("teamId") REFERENCES "teams"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "build_places" ADD CONSTRAINT "build_places_teamId_fkey" FOREIGN KEY ("teamId") REFERENCES "teams"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "project_access" ADD CONSTRAINT "project_access_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "projects"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "project_access" ADD CONSTRAINT "project_access_userId_fkey" FOREIGN KEY ("userId") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_tokens" ADD CONSTRAINT "api_tokens_makerId_fkey" FOREIGN KEY ("makerId") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
