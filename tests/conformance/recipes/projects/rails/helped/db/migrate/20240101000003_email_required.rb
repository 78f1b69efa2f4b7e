class EmailRequired < ActiveRecord::Migration[6.1]
  disable_ddl_transaction!

  def up
    execute 'PRAGMA foreign_keys = OFF'
    change_column_null :users, :email, false
    execute 'PRAGMA foreign_keys = ON'
  end
end
