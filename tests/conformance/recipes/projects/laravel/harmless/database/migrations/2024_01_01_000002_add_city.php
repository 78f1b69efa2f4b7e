<?php

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Schema;

class AddCity extends Migration
{
    public function up()
    {
        Schema::table('users', fn (Blueprint $table) => $table->string('city')->nullable());
    }
}
