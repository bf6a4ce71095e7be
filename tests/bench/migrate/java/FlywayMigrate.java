// Copyright (c) 2026, Cutover contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
import org.flywaydb.core.Flyway;

/** Flyway through its API, as an application embeds it; FLYWAY_* variables say where and what. */
public class FlywayMigrate {
    public static void main(String[] args) {
        Flyway.configure().envVars().load().migrate();
    }
}
