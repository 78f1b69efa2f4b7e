<?php

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Schema;

class Unique extends Migration
{
    public function up()
    {
        Schema::create('half', fn (Blueprint $table) => $table->increments('id'));
        Schema::table('posts', fn (Blueprint $table) => $table->unique('user_id'));
    }
}
