<?php

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Schema;

class EmailRequired extends Migration
{
    public function up()
    {
        Schema::disableForeignKeyConstraints();
        DB::statement('CREATE TABLE users_new (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, email varchar NOT NULL)');
        DB::statement('INSERT INTO users_new SELECT id, email FROM users');
        DB::statement('DROP TABLE users');
        DB::statement('ALTER TABLE users_new RENAME TO users');
        Schema::enableForeignKeyConstraints();
    }
}
