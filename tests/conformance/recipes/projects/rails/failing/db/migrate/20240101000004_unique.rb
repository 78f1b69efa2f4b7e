class Unique < ActiveRecord::Migration[6.1]
  def change
    create_table(:half)
    add_index :posts, :user_id, unique: true
  end
end
